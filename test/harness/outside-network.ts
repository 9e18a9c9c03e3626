/**
 * The network between this process and outside parties, whose names, certificates and connections can fail. Each front
 * is the address of one party and leads to its simulator; each connection carries one request. A fault is drawn when
 * the name is looked up. That of a name or handshake is of this connection alone; that of a request is of the next one
 * that arrives, since a client that has given up may open two connections. A new source of faults ends those of the one
 * before.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import dns from 'node:dns'
import { type IncomingMessage, request as requestHttp, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import tls from 'node:tls'
import { generate } from 'selfsigned'
import { milliseconds } from '../../policy/periods.ts'
import { portOf } from '../../shared/process/listen.ts'
import type { Fault } from '../../sim/simulator.ts'

/** `object`: the request arrives, as at a simulator. `hang`: it is applied, and its answer comes too late. */
export type NetworkFault =
  | 'unknown name'
  | 'no name server'
  | 'slow name server'
  | 'refused'
  | 'cut handshake'
  | 'expired certificate'
  | RequestFault

type RequestFault = Pick<Fault, 'status' | 'body' | 'headers' | 'cut' | 'delayMs' | 'hang'>
type Draw = () => NetworkFault | undefined
/** What was drawn for a connection of this process, and by whom. */
interface Drawn {
  by?: Draw
  fault?: NetworkFault | undefined
}

export type Network = Awaited<ReturnType<typeof openNetwork>>
const { day: dayMs } = milliseconds
const slowMs = 800
/** How a name is not found, by the codes of Node's resolver. */
const nameCodes: Partial<Record<string, string>> = { 'unknown name': 'ENOTFOUND', 'no name server': 'EAI_AGAIN' }
const hostOf = (name: string): string => `${name}.parties.test`

/** Changes name resolution and trust of this process until it is closed. @param hosts other names of the parties */
export async function openNetwork(hosts: readonly string[] = []) {
  const altNames = [...hosts, hostOf('*')].map((value) => ({ type: 2 as const, value }))
  const certificate = (fromDays: number, toDays: number) =>
    generate([{ name: 'commonName', value: 'outside parties' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      notBeforeDate: new Date(Date.now() + fromDays * dayMs),
      notAfterDate: new Date(Date.now() + toDays * dayMs),
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames },
      ],
    })
  const [good, old] = await Promise.all([certificate(-1, 1), certificate(-2, -1)])
  const trusted = `${good.cert}\n${old.cert}`
  /** what each host's name does when it is looked up */
  const lookUps = new Map<string, Draw>()
  const opening = new AsyncLocalStorage<Drawn>()
  /** by the ports of both ends, which are in this process */
  const drawnFor = new Map<string, Drawn>()
  const undo = [onConnections(trusted, opening, drawnFor), resolve(lookUps)]
  const closing: (() => Promise<void>)[] = []

  return {
    /** the parties' authorities, PEM */
    trusted,
    /** the certificates of all names, with their keys, for a party that does not speak HTTP */
    certificates: { good, old },

    /** Lets a name lead to this machine. @param draw is asked at each look-up @returns the host name */
    name(name: string, draw: Draw): string {
      lookUps.set(hostOf(name), draw)
      return hostOf(name)
    },

    /** Opens the address of a party. @param name a part of its host name @param simulator where it leads to */
    async open(name: string, simulator: string) {
      const arrived: string[] = []
      const sockets = new Set<Socket>()
      let next: Draw = () => undefined
      let ofRequests: RequestFault[] = []

      const expired = tls.createServer({ key: old.private, cert: old.cert })
      const https = createHttpsServer({ key: good.private, cert: good.cert }, async (request, response) => {
        const hasArrived = await carry(request, response, ofRequests.shift() ?? {}, simulator)
        if (hasArrived) arrived.push(`${request.method} ${request.url}`)
      })
      for (const server of [https, expired]) server.on('tlsClientError', () => undefined)
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
        // When the first bytes are here, the client has told which connection it is.
        socket.once('readable', () => {
          const { by, fault } = drawnFor.get(endsOf(socket.remotePort, socket.localPort)) ?? {}
          if (by !== next) https.emit('connection', socket)
          else if (fault === 'cut handshake') socket.destroy()
          else (fault === 'expired certificate' ? expired : https).emit('connection', socket)
        })
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const port = portOf(server)

      lookUps.set(hostOf(name), () => {
        const fault = next()
        if (typeof fault === 'object') ofRequests.push(fault)
        Object.assign(opening.getStore() ?? {}, { by: next, fault } satisfies Drawn)
        return fault
      })
      closing.push(async () => {
        for (const socket of sockets) socket.destroy()
        await new Promise((resolve) => server.close(resolve))
      })
      return {
        host: `${hostOf(name)}:${port}`,
        url: `https://${hostOf(name)}:${port}`,
        /** @param draw is asked at each connection */
        failBy(draw: Draw): void {
          next = draw
          ofRequests = []
        },
        /** the requests that the simulator has answered, also when its reply was lost, oldest first */
        arrived,
      }
    },

    async close(): Promise<void> {
      for (const each of undo) each()
      await Promise.all(closing.map((each) => each()))
    },
  }
}

/** One port of a client can lead to several servers. */
const endsOf = (client: number | undefined, server: number | undefined): string => `${client} ${server}`

/** @returns whether the simulator has answered the request, also when its reply was lost */
async function carry(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, headers = {}, cut, delayMs = 0, hang }: RequestFault,
  simulator: string,
): Promise<boolean> {
  response.setHeader('connection', 'close')
  await pause(delayMs)
  if (cut === 'before') return !request.socket.destroy()
  if (status !== undefined) {
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body ?? {}))
    return false
  }
  return new Promise((resolve) => {
    const lose = (hasArrived: boolean) => {
      request.socket.destroy()
      resolve(hasArrived)
    }
    const onward = requestHttp(
      `${simulator}${request.url}`,
      { method: request.method, headers: { ...request.headers, connection: 'close' } },
      (reply) => {
        if (cut === 'after') return void reply.resume().on('end', () => lose(true))
        if (hang === 'after') return void reply.resume().on('end', () => resolve(true))
        response.writeHead(reply.statusCode ?? 500, { ...reply.headers, connection: 'close' })
        reply.pipe(response).on('finish', () => resolve(true))
      },
    )
    onward.on('error', () => lose(false))
    request.pipe(onward)
  })
}

/**
 * Lets this process trust an authority, and keeps apart what is drawn for each connection that it opens.
 * @returns a function that ends it
 */
function onConnections(ca: string, opening: AsyncLocalStorage<Drawn>, drawnFor: Map<string, Drawn>): () => void {
  const { connect } = tls
  const connecting = (...given: unknown[]): tls.TLSSocket => {
    const drawn: Drawn = {}
    const trusting = given.map((each) => (each !== null && typeof each === 'object' ? { ca, ...each } : each))
    const socket: tls.TLSSocket = opening.run(drawn, () => Reflect.apply(connect, tls, trusting))
    socket.once('connect', () => drawnFor.set(endsOf(socket.localPort, socket.remotePort), drawn))
    return socket
  }
  Object.assign(tls, { connect: connecting })
  return () => void Object.assign(tls, { connect })
}

/** Looks the names of the fronts up. @returns a function that ends it */
function resolve(lookUps: ReadonlyMap<string, Draw>): () => void {
  const { lookup } = dns
  const looking = (hostname: string, options: { all?: boolean }, callback: (...answer: unknown[]) => void): void => {
    const lookUp = lookUps.get(hostname)
    if (!lookUp) {
      Reflect.apply(lookup, dns, [hostname, options, callback])
      return
    }
    const fault = lookUp()
    const code = typeof fault === 'string' ? nameCodes[fault] : undefined
    // Nobody listens at the other address of this machine.
    const address = fault === 'refused' ? '127.0.0.2' : '127.0.0.1'
    const answer = () => {
      if (code) callback(Object.assign(new Error(`${code} ${hostname}`), { code, hostname, syscall: 'getaddrinfo' }))
      else if (options.all) callback(null, [{ address, family: 4 }])
      else callback(null, address, 4)
    }
    setTimeout(answer, fault === 'slow name server' ? slowMs : 0)
  }
  // Some libraries ask a name server first, which knows none of these names.
  const { prototype } = dns.Resolver
  const { resolve4, resolve6 } = prototype
  const unknownTo = (ask: (hostname: string, callback: (...answer: unknown[]) => void) => void) =>
    function (this: dns.Resolver, hostname: string, callback: (...answer: unknown[]) => void): void {
      if (!lookUps.has(hostname)) Reflect.apply(ask, this, [hostname, callback])
      else setImmediate(() => callback(Object.assign(new Error('not found'), { code: dns.NOTFOUND, hostname })))
    }
  Object.assign(prototype, { resolve4: unknownTo(resolve4), resolve6: unknownTo(resolve6) })
  Object.assign(dns, { lookup: looking })
  return () => {
    Object.assign(prototype, { resolve4, resolve6 })
    Object.assign(dns, { lookup })
  }
}
