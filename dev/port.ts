import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { listenOn } from '../shared/process/listen.ts'

/**
 * Below the range from which systems take ports for outgoing connections and `listen(0)`: a free port stays free until
 * its server listens.
 */
const freePorts = [15_000, 32_000] as const

/** Long enough for a server to release its port after its owner was killed. */
const waitMs = 5_000

/**
 * Waits until `port` is free on 127.0.0.1. @returns the port, or a free one for 0, which no other process claims before
 * this one has ended
 *
 * A server on a taken port would fail, but before that the port's owner could answer our readiness check.
 * @throws if the port is still taken after 5 s
 */
export async function claimPort(port: number): Promise<number> {
  const deadline = Date.now() + waitMs
  for (;;) {
    try {
      return await listenOnce(port === 0 ? await reserve(randomInt(...freePorts)) : port)
    } catch (cause) {
      if (Date.now() > deadline) throw new Error(`Port ${port} is taken`, { cause })
      await delay(50)
    }
  }
}

/**
 * Reserves a port number among the processes that claim ports: seconds may pass before the server listens, or between
 * its crash and its restart. The mark is a UDP socket of the same number, which no server here needs and which the
 * system closes with this process, however it ends.
 * @throws if another claim has it
 */
async function reserve(port: number): Promise<number> {
  return await new Promise((resolve, reject) => {
    const mark = createSocket('udp4')
    mark.once('error', reject)
    mark.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      mark.unref()
      resolve(port)
    })
  })
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
  const server = createServer()
  const claimed = await listenOn(server, port, '127.0.0.1')
  server.close()
  await once(server, 'close')
  return claimed
}
