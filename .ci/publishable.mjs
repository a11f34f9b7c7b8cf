// npm runs this before it publishes: is the package one that somebody can file an issue against?
import { readFileSync } from 'node:fs'

const read = (file) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
const { version } = JSON.parse(read('package.json'))
const changelog = read('CHANGELOG.md')
const [, unreleased = ''] = /^## Unreleased\n(.*?)(?=^## |(?![^]))/ms.exec(changelog) ?? []

const faults = [
  ...['package.json', 'SECURITY.md']
    .filter((file) => read(file).includes('OWNER'))
    .map((file) => `${file} still has the placeholder OWNER: sed -i s/OWNER/your-name/ package.json SECURITY.md`),
  ...(unreleased.trim() === '' ? [] : ['CHANGELOG.md has changes under Unreleased: move them to a version']),
  ...(changelog.includes(`\n## ${version} - 2`) ? [] : [`CHANGELOG.md has no heading "## ${version} - YEAR-MONTH-DAY"`])
]
for (const fault of faults) console.error(`not published: ${fault}`)
process.exitCode = faults.length === 0 ? 0 : 1
