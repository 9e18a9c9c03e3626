import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Below the range from which systems take ports for outgoing connections and `listen(0)`: a free port stays free until
 * its server listens.
 */
const freePorts = [15_000, 32_000] as const

/** Long enough for a server to release its port after its owner was killed. */
const waitMs = 5_000

/**
 * Waits until `port` is free on 127.0.0.1. @returns the port, or a free one for 0
 *
 * A server on a taken port would fail, but before that the port's owner could answer our readiness check.
 * @throws if the port is still taken after 5 s
 */
export async function claimPort(port: number): Promise<number> {
  const deadline = Date.now() + waitMs
  for (;;) {
    try {
      return await listenOnce(port === 0 ? randomInt(...freePorts) : port)
    } catch (cause) {
      if (Date.now() > deadline) throw new Error(`Port ${port} is taken`, { cause })
      await delay(50)
    }
  }
}

/** The ports that some program of this machine listens on. */
export async function takenPorts(ports: readonly number[]): Promise<number[]> {
  const looked = await Promise.all(
    ports.map((port) =>
      listenOnce(port).then(
        () => [],
        () => [port],
      ),
    ),
  )
  return looked.flat()
}

async function listenOnce(port: number): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const claimed = typeof address === 'object' && address !== null ? address.port : port
      server.close(() => resolve(claimed))
    })
  })
}
