/** A network connection that can be cut and slowed: a TCP proxy in front of a server. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { portOf } from '../../../../shared/process/listen.ts'

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
      // Delayed bytes arrive before those that came after `mend`: TCP keeps the order.
      const delayed: { dueAt: number; pass: () => void }[] = []
      const passDue = (): void => {
        while (delayed[0] && delayed[0].dueAt <= Date.now()) delayed.shift()?.pass()
        if (delayed[0]) setTimeout(passDue, delayed[0].dueAt - Date.now())
      }
      const inOrder = (pass: () => void): void => {
        delayed.push({ dueAt: Math.max(Date.now() + delayMs, delayed.at(-1)?.dueAt ?? 0), pass })
        if (delayed.length === 1) passDue()
      }
      from.on('data', (bytes) => inOrder(() => to.writable && to.write(bytes)))
      from.on('error', () => to.destroy())
      from.on('end', () => inOrder(() => to.end()))
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
    port: portOf(server),
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
