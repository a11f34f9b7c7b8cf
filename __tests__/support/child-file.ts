import { join } from 'node:path'

/** In place of `lib/guarded-fetch/child-file`: Node runs the file that the build has made (`npm test` builds first). */
export const childFile = (): string => join(__dirname, '../../dist/lib/guarded-fetch/guarded-fetch-child.js')
