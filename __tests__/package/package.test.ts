// The packed tarball as its users meet it. One file, so that all of it is installed once; `test.concurrent` runs
// independent consumers side by side.
import { commandTests } from './command'
import { fetchingTests } from './fetching'
import { removeAll } from './packed'
import { firstTokenTests } from './first-token'
import { runtimeTests } from './runtimes'
import { tarballTests } from './tarball'
import { typeTests } from './types'

jest.setTimeout(600_000)
afterAll(removeAll)

describe('the tarball', tarballTests)
describe('types', typeTests)
describe('runtimes and test runners', runtimeTests)
describe('where it fetches', fetchingTests)
describe('from an empty folder to the first token, as the pages say', firstTokenTests)
describe('npx oauth-client-auth, alone in a folder', commandTests)
