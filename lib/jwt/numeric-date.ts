/**
 * A NumericDate (RFC 7519 §2) as it was decoded: `undefined` where it is absent, NaN where it is no finite number.
 * JSON allows 1e400, which is Infinity and no date.
 */
export const numericDate = (value: unknown): number | undefined => {
  if (value === undefined) return undefined
  return typeof value === 'number' && Number.isFinite(value) ? value : NaN
}

/** The latest time that can be meant in seconds: 1e11 s is the year 5138, 1e11 ms was in 1973. */
export const maxSeconds = 1e11

/** Whether a value is a time in seconds since the epoch, and not one in milliseconds. */
export const isSeconds = (value: unknown): value is number => Number.isFinite(value) && Number(value) <= maxSeconds
