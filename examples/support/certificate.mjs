import selfsigned from 'selfsigned'

const options = () => ({ keyType: 'ec', algorithm: 'sha256', notAfterDate: new Date(Date.now() + 86_400_000) })

/** A certificate for one host name, its key, and the certificate of the authority that signed it, all PEM; good for a day. */
export async function createCertificate(host) {
  const authority = await selfsigned.generate([{ name: 'commonName', value: 'Example authority' }], {
    ...options(),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true }
    ]
  })
  const { cert, private: key } = await selfsigned.generate([{ name: 'commonName', value: host }], {
    ...options(),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'subjectAltName', altNames: [{ type: 2, value: host }] }
    ],
    ca: { key: authority.private, cert: authority.cert }
  })
  return { cert, key, ca: authority.cert }
}

const aDay = () => ({ keyType: 'ec', algorithm: 'sha256', notAfterDate: new Date(Date.now() + 86_400_000) })

/** An authority that issues the certificates of clients; PEM, good for a day. */
export async function createAuthority(name) {
  const { cert, private: key } = await selfsigned.generate([{ name: 'commonName', value: name }], {
    ...aDay(),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true }
    ]
  })
  return { cert, key }
}

/** The certificate of a client, issued by an authority or, without one, signed by itself; PEM, good for a day. */
export async function createClientCertificate(name, authority) {
  const { cert, private: key } = await selfsigned.generate([{ name: 'commonName', value: name }], {
    ...aDay(),
    ...(authority && { ca: authority }),
    extensions: [{ name: 'extKeyUsage', clientAuth: true }]
  })
  return { cert, key }
}
