import { digest } from '../basics/digest'

/** Longest text that is kept as it is; the digest of a longer one takes less memory. */
const longest = 64
const plainText = /^[ -~]*$/
const scratch = Buffer.alloc(longest + 1)

/**
 * A short ASCII string that stands for `text` in a Map or Set: the text itself where it is short and plain ASCII, which
 * costs half of a digest, else its digest. Two texts never share a key: one kind begins with `'`, the other with `#`.
 *
 * No key begins with a digit: until its repair in 2026, V8 hashed a string of digits to the number that it spells, so
 * a client could choose ids that all collide (Node 20.19: 100,000 of them took 12 s instead of 0.05 s).
 */
export const compactKey = (text: string): string =>
  text.length > longest || !plainText.test(text) ? `#${digest(text)}` : `'${text}`

/** A copy of a compact key, to be kept: V8 keeps the whole of a long string in memory for the sake of a slice of it. */
export function copyOfKey(key: string): string {
  const length = scratch.write(key, 0, 'latin1')
  return scratch.toString('latin1', 0, length)
}
