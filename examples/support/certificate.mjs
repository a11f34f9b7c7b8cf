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
