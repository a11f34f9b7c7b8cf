/**
 * The profile of FAPI 2 §5.3.2.1 and §5.4.1, to spread into the options.
 *
 * @example
 * const authenticateClient = clientAuth({ ...fapi2, issuer, getClient })
 */
export const fapi2 = Object.freeze({
  methods: Object.freeze(['private_key_jwt'] as const),
  algorithms: Object.freeze(['PS256', 'ES256', 'EdDSA', 'Ed25519'] as const),
  legacyAudiences: Object.freeze([] as string[]),
  stringAudience: true,
  requireJti: true,
  maxAssertionLifetime: 300
})
