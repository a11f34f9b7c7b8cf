// Where the running quick start leaves its clients' keys for `npm run example:assertion`.
export const stateFile = new URL('../../node_modules/.cache/oauth-client-auth/quick-start.json', import.meta.url)
