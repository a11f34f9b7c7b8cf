// A server of PM2: fetches one key set, writes how to a file of its own, and stays.
const { subscribe } = require('node:diagnostics_channel')
const { writeFileSync } = require('node:fs')
const { createJwksFetcher } = require('oauth-client-auth')

let child
subscribe('child_process', ({ process: started }) => (child = started))
const { uri, hosts } = JSON.parse(process.env.KEY_SERVER)
const resolver = () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
const tell = (told) =>
  writeFileSync(`${process.env.TOLD}/${process.pid}`, JSON.stringify({ ...told, child: child?.pid }))
createJwksFetcher({ hosts, resolver, timeout: 30 })
  .get(uri)
  .then(
    ({ keys }) => tell({ keys: keys.length }),
    ({ message }) => tell({ message })
  )
setInterval(() => undefined, 1000)
