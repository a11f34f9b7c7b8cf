import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { RealClient } from './client-list'

/** What one program answers to one case. */
export interface Answer {
  token?: string
  error?: string
}

/** A client's program, which takes one case a line and answers each before the next. */
export class RunningClient {
  private readonly child: ChildProcess
  private readonly lines: NodeJS.AsyncIterator<string>
  private stderr = ''

  constructor({ command: [file = '', ...args] }: RealClient, env: NodeJS.ProcessEnv) {
    this.child = spawn(file, args, { env: { ...process.env, ...env }, stdio: 'pipe' })
    this.child.stderr?.on('data', (text: Buffer) => (this.stderr = `${this.stderr}${text.toString()}`.slice(-2000)))
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]()
  }

  async ask(one: object): Promise<Answer> {
    this.child.stdin?.write(`${JSON.stringify(one)}\n`)
    const line = await this.lines.next()
    if (line.done === true) throw new Error(`the client's program ended: ${this.stderr}`)
    return JSON.parse(line.value) as Answer
  }

  end(): void {
    this.child.stdin?.end()
  }
}
