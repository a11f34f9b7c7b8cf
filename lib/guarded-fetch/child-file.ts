import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The file of the process that fetches, or `undefined` where a bundler has left it out. In a bundle of ES modules there
 * is no `__dirname`.
 */
export function childFile(): string | undefined {
  if (typeof __dirname !== 'string') return undefined
  const file = join(__dirname, 'guarded-fetch-child.js')
  return existsSync(file) ? file : undefined
}
