// The authority of the key server is given to Node while it runs.
import tls from 'node:tls'

tls.setDefaultCACertificates([...tls.getCACertificates('default'), process.env.AUTHORITY])
await import('./fetch-main.mjs')
