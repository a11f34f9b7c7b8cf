// What each consumer that fetches runs: one key set, of the server that the environment names. Tells how it was had.
const { subscribe } = require('node:diagnostics_channel')

module.exports = async function fetchKeys({ createJwksFetcher }) {
  const { uri, hosts } = JSON.parse(process.env.KEY_SERVER)
  const told = { processes: 0, warnings: [] }
  const count = ({ event }) => (told.processes += event === 'started' ? 1 : 0)
  subscribe('oauth-client-auth:fetching', count)
  process.on('warning', ({ code }) => told.warnings.push(code))
  const resolver = () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
  const fetcher = createJwksFetcher({ hosts, resolver, timeout: 30 })
  try {
    told.keys = (await fetcher.get(uri)).keys.length
  } catch ({ why, message }) {
    Object.assign(told, { why, message })
  }
  await new Promise(setImmediate) // warnings are told in a later turn
  fetcher.close()
  return told
}
