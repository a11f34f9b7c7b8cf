import { createMemoryReplayStore } from '../../../lib'
import { cpuOf } from '../../support/cpu-time'

interface Store {
  consume(entry: { clientId: string; id: string; expiresAt: number }): boolean
}
const inAnHour = Math.floor(Date.now() / 1000) + 3600

/** Before its repair in 2026, V8 hashed a string of digits to the number that it spells: these all collide. */
const colliding = (index: number) => String(index * 65_536)
const usual = (index: number) => `id ${index * 65_536}`

// Threat 4: ids that collide in a hash table
it('ids that are chosen to collide cost what others cost', () => {
  const costOf = (idOf: (index: number) => string) =>
    cpuOf(() => {
      const store = createMemoryReplayStore() as Store
      for (let index = 0; index < 20_000; index++)
        store.consume({ clientId: 'client', id: idOf(index), expiresAt: inAnHour })
    })
  expect(costOf(colliding)).toBeLessThan(costOf(usual) * 4 + 50)
})

it('ids of one kind never stand for one of the other: a text, and a text that looks like a digest', () => {
  const store = createMemoryReplayStore() as Store
  const seen = new Set<string>()
  for (const id of ['a', "'a", '#a', 'a'.repeat(64), 'a'.repeat(65), 'é', 'Ã©', '\u0100', '\0', ' ', '']) {
    expect(store.consume({ clientId: 'c', id, expiresAt: inAnHour })).toBe(true)
    expect(store.consume({ clientId: 'c', id, expiresAt: inAnHour })).toBe(false)
    seen.add(id)
  }
  expect(seen.size).toBe(11)
})
