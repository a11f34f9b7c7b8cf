import selfsigned from 'selfsigned'

/** A certificate for one host name and its key, both PEM; its own authority, good for a day. */
export async function createCertificate(host) {
  const { cert, private: key } = await selfsigned.generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
    notAfterDate: new Date(Date.now() + 86_400_000)
  })
  return { cert, key }
}
