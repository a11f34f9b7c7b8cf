import { within } from '../basics/within'
import { ClientAuthError } from '../refusals/errors'

/** Slow verifications at once, of the four threads that Node has by default, and how many may wait. */
const atOnce = 2
const mostWaiting = 1000

type Task = () => boolean | Promise<boolean>
/** Whose turn it is: a client's id, or `unknownIds` for all ids that nobody has. */
type Turn = string | typeof unknownIds
interface Waiting {
  readonly start: () => void
  readonly refuse: (why: string) => void
}

/** All ids that nobody has share one turn: however many an attacker makes up, they delay a client like one other. */
export const unknownIds = Symbol('unknown ids')

/**
 * Runs at most two tasks at once, and at most one of each turn. The turns that wait are served in rotation, so many
 * tasks of one turn delay each other and not those of others. A task has `timeoutMs` to be started and again to settle,
 * then it is given up with 503. When too many wait, the latest task of the turn with the most is refused.
 */
export function createVerificationQueue(timeoutMs: number) {
  const running = new Set<Turn>()
  /** In the order in which they will be served. */
  const waiting = new Map<Turn, Waiting[]>()
  let waitingCount = 0

  function startNext(): void {
    for (const [turn, tasks] of waiting) {
      if (running.size >= atOnce) return
      const [next] = tasks
      if (next === undefined || running.has(turn)) continue
      remove(turn, next)
      if (waiting.delete(turn)) waiting.set(turn, tasks) // to the end of the rotation
      running.add(turn)
      next.start()
    }
  }

  function remove(turn: Turn, one: Waiting): void {
    const tasks = waiting.get(turn) ?? []
    tasks.splice(tasks.indexOf(one), 1)
    waitingCount--
    if (tasks.length === 0) waiting.delete(turn)
  }

  function refuseOne(): void {
    const longest = [...waiting.values()].reduce((most, tasks) => (tasks.length >= most.length ? tasks : most))
    longest[longest.length - 1]?.refuse(`more than ${mostWaiting} are waiting`)
  }

  const start = (turn: Turn) =>
    new Promise<void>((resolve, reject) => {
      const refuse = (why: string) => {
        clearTimeout(timer)
        remove(turn, one)
        reject(busy(why))
      }
      const timer = setTimeout(refuse, timeoutMs, `not started within ${timeoutMs} ms`)
      const one = {
        start: () => {
          clearTimeout(timer)
          resolve()
        },
        refuse
      }
      const tasks = waiting.get(turn)
      if (tasks === undefined) waiting.set(turn, [one])
      else tasks.push(one)
      if (++waitingCount > mostWaiting) refuseOne()
      startNext()
    })

  return async (turn: Turn, task: Task): Promise<boolean> => {
    await start(turn)
    try {
      // A task that never settles must not hold its place for good.
      return await within(timeoutMs, task, () => busy(`the verification did not settle within ${timeoutMs} ms`))
    } finally {
      running.delete(turn)
      startNext()
    }
  }
}

const busy = (why: string) =>
  new ClientAuthError('secret_verifier_busy', { cause: new Error(`rememberSecrets: ${why}`) })
