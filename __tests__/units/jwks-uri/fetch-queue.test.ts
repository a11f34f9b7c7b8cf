import { createTurns } from '../../../lib/jwks-uri/fetch-queue'

const never = new AbortController().signal

function job() {
  let finish = (): void => undefined
  const done = new Promise<void>((resolve) => (finish = resolve))
  return { done, finish }
}

describe('turns', () => {
  test('end with the signal while they wait, and then leave the queue', async () => {
    const inTurn = createTurns(1, 1)
    const first = job()
    const running = inTurn({ host: 'a', first: false, signal: never }, () => first.done)
    const waiter = new AbortController()
    let begun = false
    const waiting = inTurn({ host: 'b', first: false, signal: waiter.signal }, () => Promise.resolve((begun = true)))
    waiter.abort()
    await expect(waiting).rejects.toMatchObject({
      why: 'busy',
      message: 'b was not asked: too many fetches are under way'
    })
    first.finish()
    await running
    expect(begun).toBe(false)
  })

  test('are given back by work that fails', async () => {
    const inTurn = createTurns(1, 1)
    const turn = { host: 'a', first: false, signal: never }
    await expect(inTurn(turn, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    await expect(inTurn(turn, () => Promise.resolve('done'))).resolves.toBe('done')
  })

  test('pass over a host that has its share, and take those first that go first', async () => {
    const inTurn = createTurns(2, 1)
    const [first, second] = [job(), job()]
    const order: string[] = []
    const begin = (host: string, goesFirst: boolean, name: string, done: Promise<void>) =>
      inTurn({ host, first: goesFirst, signal: never }, () => {
        order.push(name)
        return done
      })
    const all = [
      begin('a', false, 'a1', first.done),
      begin('a', false, 'a2', Promise.resolve()),
      begin('b', false, 'b1', second.done),
      begin('c', false, 'c1', Promise.resolve()),
      begin('d', true, 'd1', Promise.resolve())
    ]
    expect(order).toEqual([])
    await Promise.resolve()
    expect(order).toEqual(['a1', 'b1'])
    second.finish()
    await Promise.all(all.slice(2))
    expect(order).toEqual(['a1', 'b1', 'd1', 'c1'])
    first.finish()
    await Promise.all(all)
    expect(order.at(-1)).toBe('a2')
  })
})
