// A key server that speaks nothing but the hybrid group. Writes its port.
import { createServer } from 'node:tls'

const { key, cert, body } = JSON.parse(process.env.HYBRID_SERVER)
const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
const server = createServer({ key, cert, minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768' }, (socket) => {
  socket.on('error', () => {}).on('data', () => socket.end(head + body))
})
server.on('tlsClientError', () => {})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
