// The code blocks of README.md and docs/, and the mark above each that says how it is proven.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(__dirname, '../..')
export const readPage = (page: string): string => readFileSync(join(root, page), 'utf8')

/** README and every page of docs/. */
export const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
]

/**
 * - `runs as: NAME`: written to NAME and run, in the order of the page; what listens goes on for the later ones.
 * - `runs in: options`: a module that uses names like `issuer` and `getClient` without declaring them.
 * - `compiles as: NAME.ts`: compiled in strict mode, together with the others of its page.
 * - `not run: REASON`: only its syntax is checked. For what needs the network or a package that is not installed.
 * - `step: FILE, after: LINE`: `papers/add-a-rule` writes it into that file of a copy.
 * - a path such as `examples/koa.mjs`: cut from that file, where other tests run it.
 */
export type Kind = 'runs as' | 'runs in' | 'compiles as' | 'not run' | 'step' | 'stands in' | 'unmarked'

export interface Snippet {
  page: string
  line: number
  language: string
  kind: Kind
  /** What follows the colon of the mark, or the path. */
  name: string
  code: string
}

function readMark(mark: string | undefined): Pick<Snippet, 'kind' | 'name'> {
  const [, kind, name] = /^(runs as|runs in|compiles as|not run|step): (.+)$/.exec(mark ?? '') ?? []
  if (kind !== undefined && name !== undefined) return { kind: kind as Kind, name }
  if (mark !== undefined && /^[\w./-]+\.\w+$/.test(mark)) return { kind: 'stands in', name: mark }
  return { kind: 'unmarked', name: mark ?? '' }
}

/** The code blocks of a page in the languages that can be run: js, ts, sh. Data (json, sql, text) needs no mark. */
export function snippetsOf(page: string): Snippet[] {
  const text = readPage(page)
  const blocks = text.matchAll(/(?:<!-- ([^\n]*?) -->\n+)?^( *)```(\w+)[^\n]*\n(.*?)^ *```$/gms)
  return [...blocks]
    .map(([all, mark, indent = '', language = '', code = ''], _index) => ({ all, mark, indent, language, code }))
    .map(({ all, mark, indent, language, code }) => ({
      page,
      line: text.slice(0, text.indexOf(all) + all.indexOf('```')).split('\n').length,
      language,
      ...readMark(mark),
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
    }))
    .filter(({ language }) =>
      /^(js|mjs|cjs|javascript|jsx|ts|mts|cts|tsx|typescript|sh|bash|shell|console)$/.test(language)
    )
}

/** Each name that a module imports, with the module that it comes from. */
export const importsOf = (code: string): string[] =>
  [...code.matchAll(/^import (?:type )?(?:(\w+)(?:, | ))?(?:\{([^}]*)\} )?from '([^']+)'$/gm)].flatMap(
    ([, whole, named = '', from = '']) =>
      [...(whole === undefined ? [] : [`default ${whole}`]), ...named.split(',')]
        .map((name) => name.replace('type ', '').trim())
        .filter((name) => name !== '')
        .map((name) => `${name} from ${from}`)
  )
