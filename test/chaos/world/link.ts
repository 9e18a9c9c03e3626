/** A network connection that can be cut and slowed: a TCP proxy in front of a server. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Link {
  port: number
  /** Ends all connections, and refuses new ones until `mend`. */
  cut(): void
  /** Delays everything in both directions. */
  slow(ms: number): void
  mend(): void
  stop(): Promise<void>
}

export async function openLink(host: string, port: number): Promise<Link> {
  const sockets = new Set<Socket>()
  let isCut = false
  let delayMs = 0
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    const far = connect(port, host)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => {
        if (delayMs === 0) to.write(bytes)
        else setTimeout(() => to.writable && to.write(bytes), delayMs)
      })
      from.on('error', () => to.destroy())
      from.on('end', () => setTimeout(() => to.end(), delayMs))
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true
      end()
    },
    slow(ms) {
      delayMs = ms
    },
    mend() {
      isCut = false
      delayMs = 0
    },
    async stop() {
      end()
      server.close()
      await once(server, 'close')
    },
  }
}
