/** An `LRUCache` for so many entries. With `max` in place of it, the cache would take the memory of all of them at once. */
export const atMost = (entries: number) => ({ maxSize: entries, sizeCalculation: () => 1 })
