// An authorization server under attack: forked, so that nothing but its own work is in its event loop. Told in JSON which
// build to load, its issuer, and address, port and authority of each host. It tells its port, each event of the
// processes that fetch, each fetch that failed, and, when it is asked, the CPU time that those processes have taken, in
// milliseconds.
import { subscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const { dist, issuer, hosts } = JSON.parse(process.argv[2])
const { createJwksFetcher, clientAuth } = await import(pathToFileURL(`${dist}/lib/index.js`))

/** The id of a client is the host of its key set and a path there. */
function getClient(client_id) {
  if (client_id === 'good') return { client_id, client_secret: 'a secret of at least thirty-two octets' }
  const [host, path] = client_id.split('/')
  const jwks_uri = `https://${host}:${hosts[host].port}/${path}`
  return { client_id, token_endpoint_auth_method: 'private_key_jwt', jwks_uri }
}

const rules = Object.entries(hosts).map(([name, { address, port, ca }]) => [
  name,
  { addresses: [address], ports: [port], ...(ca && { ca }) }
])
const resolver = () => ({
  resolve4: async (name) => [hosts[name].address],
  resolve6: async () => [],
  cancel() {}
})
const keySets = createJwksFetcher({ hosts: Object.fromEntries(rules), resolver })
const authenticate = clientAuth({ issuer, getClient, keySets })
const server = createServer((req, res) => authenticate(req, res, () => res.end('{}')))

let running
subscribe('child_process', ({ process: started }) => (running = started))
subscribe('oauth-client-auth:fetching', (event) => process.send(event))
subscribe('oauth-client-auth:jwks', ({ uri, error }) => {
  if (error !== undefined) process.send({ failed: new URL(uri).hostname, message: error.message })
})

/** Fields of /proc/…/stat, behind the name, in milliseconds: they count hundredths of a second (Linux). */
function cpuOf(pid, ...fields) {
  try {
    const all = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1).split(' ')
    return fields.reduce((sum, field) => sum + Number(all[field]) * 10, 0)
  } catch {
    return 0 // it has just ended
  }
}
// Of the children that have ended, and of the one that runs
process.on('message', () => process.send({ cpu: cpuOf('self', 13, 14) + (running ? cpuOf(running.pid, 11, 12) : 0) }))
process.on('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
