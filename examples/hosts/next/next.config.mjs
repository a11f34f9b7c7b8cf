// --- glue
const nextConfig = { serverExternalPackages: ['oauth-client-auth'] }
// --- end

// Two lockfiles lie above this folder, so Turbopack is told which of them counts.
const root = new URL('../../..', import.meta.url).pathname

export default { ...nextConfig, turbopack: { root } }
