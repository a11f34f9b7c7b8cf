import { KeySetError } from '../jwt/key-set-error'

/** A place in the queue: it is left when the signal comes, and taken at its head by those that go `first`. */
export interface Turn {
  readonly host: string
  readonly first: boolean
  readonly signal: AbortSignal
}

/**
 * Bounds the work in hand, in all and per host; the rest waits. Known sets go first, so that hostile servers that
 * take their time cannot keep a good set from its refresh.
 */
export function createTurns(max: number, maxPerHost: number) {
  const running: string[] = []
  const waiting: { host: string; start: () => void }[] = []
  const isFree = (host: string): boolean => running.filter((other) => other === host).length < maxPerHost

  const next = (): void => {
    if (running.length >= max) return
    const index = waiting.findIndex(({ host }) => isFree(host))
    const [turn] = index < 0 ? [] : waiting.splice(index, 1)
    if (turn === undefined) return
    running.push(turn.host)
    turn.start()
  }

  const wait = ({ host, first, signal }: Turn): Promise<void> =>
    new Promise((start, reject) => {
      const entry = { host, start }
      if (first) waiting.unshift(entry)
      else waiting.push(entry)
      signal.addEventListener('abort', () => {
        const index = waiting.indexOf(entry)
        if (index >= 0) waiting.splice(index, 1)
        reject(new KeySetError('busy', `${host} was not asked: too many fetches are under way`))
      })
      next()
    })

  return async <T>(turn: Turn, work: () => Promise<T>): Promise<T> => {
    await wait(turn)
    try {
      return await work()
    } finally {
      running.splice(running.indexOf(turn.host), 1)
      next()
    }
  }
}
