/** One value in DER (X.690 §8.1), its content not looked at. */
export interface DerValue {
  readonly tag: number
  readonly content: Buffer
}

/** The values that stand one behind the other in some octets; `undefined` unless that is all that they are. */
export function readDer(octets: Buffer): DerValue[] | undefined {
  const values: DerValue[] = []
  for (let at = 0; at < octets.length;) {
    const [tag = 0, first = 0] = octets.subarray(at)
    const more = first < 0x80 ? 0 : first - 0x80
    const start = at + 2 + more
    // No tag of several octets, no indefinite length: nothing that is read here has one.
    if ((tag & 0x1f) === 0x1f || first === 0x80 || more > 3 || start > octets.length) return undefined
    at = start + (more === 0 ? first : octets.readUIntBE(at + 2, more))
    if (at > octets.length) return undefined
    values.push({ tag, content: octets.subarray(start, at) })
  }
  return values
}
