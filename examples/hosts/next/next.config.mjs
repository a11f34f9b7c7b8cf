// Two lockfiles lie above this folder, so Turbopack is told which of them counts.
const root = new URL('../../..', import.meta.url).pathname

export default {
  turbopack: { root },
  // --- glue
  serverExternalPackages: ['oauth-client-auth']
  // --- end
}
