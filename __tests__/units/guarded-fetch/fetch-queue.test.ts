import { createFetchQueue, type Purpose } from '../../../lib/guarded-fetch/fetch-queue'

function job() {
  let finish = (): void => undefined
  const done = new Promise<void>((resolve) => (finish = resolve))
  return { done, finish }
}

const limits = { maxConcurrent: 1, maxConcurrentPerHost: 1, maxWaitMs: 60_000 }
/** The started jobs of a queue with so many places, by name. */
function queueOf(maxConcurrent: number, maxConcurrentPerHost: number) {
  const inQueue = createFetchQueue({ maxConcurrent, maxConcurrentPerHost, maxWaitMs: 60_000 })
  const started: string[] = []
  const add = (name: string, host: string, purpose: Purpose) => {
    const { done, finish } = job()
    const ended = inQueue({ host, purpose }, () => {
      started.push(name)
      return done
    })
    return async () => {
      finish()
      await ended
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { started, add }
}

describe('the fetch queue', () => {
  test('refuses a fetch that waits too long, and forgets it', async () => {
    const inQueue = createFetchQueue({ ...limits, maxWaitMs: 20 })
    const first = job()
    const running = inQueue({ host: 'a', purpose: 'first_load' }, () => first.done)
    let begun = false
    const waiting = inQueue({ host: 'b', purpose: 'first_load' }, () => Promise.resolve((begun = true)))
    await expect(waiting).rejects.toMatchObject({
      why: 'busy',
      message: 'b was not asked: too many fetches are under way'
    })
    first.finish()
    await running
    expect(begun).toBe(false)
  })

  test('gives the place of a fetch that fails to the next', async () => {
    const inQueue = createFetchQueue(limits)
    const fetch = { host: 'a', purpose: 'first_load' } as const
    await expect(inQueue(fetch, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    await expect(inQueue(fetch, () => Promise.resolve('done'))).resolves.toBe('done')
  })

  test('passes over a host that has its share', async () => {
    const { started, add } = queueOf(2, 1)
    const endA1 = add('a1', 'a', 'first_load')
    const endA2 = add('a2', 'a', 'first_load')
    const endB1 = add('b1', 'b', 'first_load')
    expect(started).toEqual(['a1', 'b1'])
    await endB1()
    expect(started).toEqual(['a1', 'b1'])
    await endA1()
    expect(started).toEqual(['a1', 'b1', 'a2'])
    await endA2()
  })

  test('starts expired sets before first loads, and sets that are still fresh last, each in the order they came', async () => {
    const { started, add } = queueOf(1, 1)
    const purposes: Purpose[] = ['unknown_kid', 'ahead', 'first_load', 'expired', 'first_load', 'expired']
    const ends = ['running', ...purposes].map((purpose, index) =>
      add(`${purpose} ${index}`, 'a', index === 0 ? 'first_load' : (purpose as Purpose))
    )
    const order = [0, 4, 6, 3, 5, 1, 2]
    for (const index of order) await ends[index]?.()
    expect(started).toEqual([
      'running 0',
      'expired 4',
      'expired 6',
      'first_load 3',
      'first_load 5',
      'unknown_kid 1',
      'ahead 2'
    ])
  })

  // Threat 21: all places of a host taken by refreshes
  test.each<Purpose>(['expired', 'unknown_kid', 'ahead'])(
    'keeps one place of a host for first loads, whatever waits as %s',
    async (purpose) => {
      const { started, add } = queueOf(64, 4)
      const ends = [1, 2, 3, 4, 5].map((index) => add(`refresh ${index}`, 'a', purpose))
      expect(started).toEqual(['refresh 1', 'refresh 2', 'refresh 3'])
      ends.push(add('first load', 'a', 'first_load'))
      expect(started.at(-1)).toBe('first load')
      for (const end of ends) await end()
      expect(started).toHaveLength(6)
    }
  )

  test('lets refreshes have the only place of a host that has one', async () => {
    const { started, add } = queueOf(64, 1)
    const end = add('refresh', 'a', 'unknown_kid')
    expect(started).toEqual(['refresh'])
    await end()
  })
})
