// Lets Node run TypeScript with decorators: node --import ./typescript.mjs nest.mts
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) register(import.meta.url)

/** Node's own loader for everything but `.mts`. */
export async function load(url, context, nextLoad) {
  if (!url.endsWith('.mts')) return nextLoad(url, context)
  const { default: typescript } = await import('typescript')
  const { config } = typescript.readConfigFile(fileURLToPath(new URL('tsconfig.json', import.meta.url)), (file) =>
    readFileSync(file, 'utf8')
  )
  const { outputText } = typescript.transpileModule(readFileSync(fileURLToPath(url), 'utf8'), {
    ...config,
    fileName: 'nest.mts'
  })
  return { format: 'module', shortCircuit: true, source: outputText }
}
