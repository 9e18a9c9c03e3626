/** A TLS proxy for a plain HTTP server: the client library requires https, the control API is simpler without it. */
import { connect } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'
import { listenHere } from '../listen.ts'

export interface TlsFront {
  port: number
  /** the certificate to trust, PEM */
  ca: string
  stop(): Promise<void>
}

/**
 * Forwards every connection to 127.0.0.1:`targetPort`, including how it ends.
 * @param hosts the names in the certificate, besides localhost
 */
export async function startTlsFront(targetPort: number, hosts: string[], port = 0): Promise<TlsFront> {
  const made = await generate([{ name: 'commonName', value: 'simulated Google APIs' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...[...hosts, 'localhost'].map((value) => ({ type: 2 as const, value })),
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  const open = new Set<TLSSocket>()
  const server = createServer({ key: made.private, cert: made.cert }, (client) => {
    open.add(client)
    const target = connect(targetPort, '127.0.0.1')
    client.pipe(target).pipe(client)
    // When one side ends in any way, the other is ended too.
    const cut = () => {
      open.delete(client)
      client.destroy()
      target.destroy()
    }
    for (const socket of [client, target]) socket.on('error', cut).on('close', cut)
  })
  const actual = await listenHere(server, port)
  return {
    port: actual,
    ca: made.cert,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
