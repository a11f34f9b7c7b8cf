/** RFC 6749 Appendix A.1: client_id is *VSCHAR. */
export const isClientId = (value: unknown): value is string =>
  typeof value === 'string' && /^[\x20-\x7e]{1,256}$/.test(value)

/** RFC 6749 Appendix A.2 allows VSCHAR; UTF-8 is tolerated, control characters and lone surrogates are not. */
export const isSecret = (value: string | undefined): boolean =>
  value !== undefined && value.length <= 1024 && !/[\p{Cc}\p{Cs}]/u.test(value)
