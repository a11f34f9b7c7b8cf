// Where the running quick start leaves its clients' keys for examples/assertion.mjs.
export const stateFile = new URL('../../node_modules/.cache/oauth-client-auth/quick-start.json', import.meta.url)
