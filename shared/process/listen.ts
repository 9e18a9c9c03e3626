import type { AddressInfo, Server } from 'node:net'

/** Has a server listen. @returns its port: a free one for 0 @throws when it cannot, as on a taken port */
export async function listenOn(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
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
