import type { AddressInfo, Server } from 'node:net'

/** Nothing of ours is wrong but the address: its message says all that there is to say. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen'
}

/** Has a server listen. @returns its port: a free one for 0 @throws CannotListen, as on a taken port */
export async function listenOn(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ message }) =>
      reject(new CannotListen(`cannot listen on ${host}, port ${port}: ${message}`)),
    )
    server.listen(port, host, resolve)
  })
  return portOf(server)
}

/** The port on which a server listens. @throws when it listens on none */
export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  return address.port
}
