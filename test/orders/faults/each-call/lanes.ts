/** Ways to all outside parties, one beside the other: what fails on one does not fail on another. */
import { randomUUID } from 'node:crypto'
import pMap from 'p-map'
import { expect } from 'vitest'
import { type Context, createContext } from '../../../../context.ts'
import { isProviderFailure } from '../../../../providers/failure.ts'
import type { Harness } from '../../../harness/harness.ts'
import type { Network, NetworkFault } from '../../../harness/outside-network.ts'
import type { Call } from './call.ts'
import { answerWithinMs, delays, type FaultName, faultOf, unsent } from './faults.ts'

/** Of what passes nothing is left after these attempts. */
const mostAttempts = 5

export type Pair = readonly [FaultName, FaultName]

/** A call with the faults that it meets, all of which are drawn before the first is tried. */
interface Tried {
  what: string
  call: Call
  /** how many requests of an attempt pass before the faults */
  after: number
  faults: { name: FaultName; fault: NetworkFault }[]
}

/** Where faults can come in a call. */
type Place = Pick<Tried, 'call' | 'after'> & { of: string }

/** Each request of a call, and the one for its token, which ports that have none yet make first. */
function placesOf(call: Call): Place[] {
  const { requests = 1, byToken } = call
  const each = Array.from({ length: requests }, (_, after) => ({ call, after, of: `request ${after + 1}` }))
  return byToken ? [...each, { call: { ...call, keeps: true }, after: 0, of: 'token' }] : each
}

/** @param openIdUrl where an OpenID provider answers without TLS @param count as many as are tried at the same time */
export async function openLanes(
  { sims, config, context }: Harness,
  network: Network,
  openIdUrl: string,
  count: number,
) {
  const lanes: Awaited<ReturnType<typeof openLane>>[] = []
  // One after the other: together their handshakes take longer than a request waits.
  for (let number = 0; number < count; number += 1) lanes.push(await openLane(number))
  const free = [...lanes]

  async function openLane(number: number) {
    const open = (name: string, url: string) => network.open(`${name}-${number}`, url)
    const [stripe, esimAccess, airalo, apple, google, firebase, meta, analytics, openId] = await Promise.all([
      open('stripe', sims.stripe.url),
      open('esim-access', sims.esimAccess.url),
      open('airalo', sims.airalo.url),
      open('apple', sims.apple.url),
      open('google', sims.google.url),
      open('firebase', sims.firebase.url),
      open('meta', sims.meta.url),
      open('analytics', sims.googleAnalytics.url),
      open('openid', openIdUrl),
    ])
    const fronts = [stripe, esimAccess, airalo, apple, google, firebase, meta, analytics, openId]
    const settings = {
      ...config,
      STRIPE_API_URL: stripe.url,
      ESIM_ACCESS_URL: config.ESIM_ACCESS_URL.replace(sims.esimAccess.url, esimAccess.url),
      AIRALO_URL: config.AIRALO_URL.replace(sims.airalo.url, airalo.url),
      APPLE_URL: apple.url,
      GOOGLE_CERTS_URL: config.GOOGLE_CERTS_URL.replace(sims.google.url, google.url),
      GOOGLE_RISC_CERTS_URL: config.GOOGLE_RISC_CERTS_URL.replace(sims.google.url, google.url),
      GOOGLE_REVOKE_URL: config.GOOGLE_REVOKE_URL.replace(sims.google.url, google.url),
      FIREBASE_CERTS_URL: config.FIREBASE_CERTS_URL.replace(sims.google.url, google.url),
      FIREBASE_CONNECT_TO: firebase.host,
      FIREBASE_CONNECT_CA: network.trusted,
      META_URL: meta.url,
      GA_URL: analytics.url,
      OPERATOR_OPENID_ISSUER_URL: openId.url,
      OPERATOR_OPENID_CLIENT_ID: 'console',
      OPERATOR_OPENID_CLIENT_SECRET: 'a-secret-of-the-test-of-each-call',
    }
    const portsOf = (): Context =>
      createContext(settings, {
        maxConnections: 1,
        replyTimeoutMs: answerWithinMs,
        name: 'each-call',
        log: context.log,
      })
    const ports = portsOf()
    // What is kept for an hour is asked for now, and is no part of the calls.
    await ports.esimProviders.airalo.balance()
    await ports.firebaseUsers.deleteUser(randomUUID())
    await ports.push.send({ token: randomUUID(), title: 'x', body: 'x', data: {}, collapseKey: 'x', platform: 'ios' })
    return { fronts, ports, portsOf }
  }

  type Lane = (typeof lanes)[number]

  async function along(lane: Lane, { what, call, after, faults }: Tried): Promise<() => Promise<void>> {
    const { attempt, effects } = await call.arrange()
    const ports = call.keeps ? lane.portsOf() : lane.ports
    const left = [...faults]
    /** by all attempts, and by this one */
    const [met, metNow]: [FaultName[], FaultName[]] = [[], []]
    let asked = 0
    const draw = () => {
      asked += 1
      if (asked <= after) return undefined
      const next = left.shift()
      if (!next) return undefined
      met.push(next.name)
      metNow.push(next.name)
      return next.fault
    }
    for (const front of lane.fronts) front.failBy(draw)
    let isUnknown = false
    let hasGoneOn = false
    let tried = 0
    for (; ; tried += 1) {
      metNow.length = 0
      asked = 0
      const error = await attempt(ports, tried).then(
        () => undefined,
        (failed: unknown) => failed,
      )
      if (error === undefined) {
        const survived = call.goesOnAfter?.faults ?? []
        hasGoneOn = metNow.some((name) => survived.includes(name))
        // A connection that fails while the pool still ends an earlier request is opened again, within the attempt.
        const reopened = tried > 0 ? unsent : []
        const swallowed = metNow.filter((name) => ![...delays, ...survived, ...reopened].includes(name))
        expect(swallowed, `${what}: it has succeeded`).toEqual([])
        break
      }
      if (!isProviderFailure(error)) throw new Error(`${what}: ${String(error)}`, { cause: error })
      const { kind, code } = error
      const mayRefuse = call.refusedBy?.some((fault) => met.includes(fault)) ?? false
      if (!mayRefuse) expect(['unavailable', 'unknown_outcome'], `${what}: ${code}`).toContain(kind)
      if (metNow.length > 0 && metNow.every((name) => unsent.includes(name)))
        expect(kind, `${what}: ${code}, not sent`).toBe('unavailable')
      expect(tried, `${what}: still ${code}`).toBeLessThan(mostAttempts)
      isUnknown ||= kind === 'unknown_outcome'
      if (isUnknown && call.once) break
    }
    expect(met, `${what}: no connection was made`).not.toEqual([])
    if (call.keeps) await ports.close()
    return async () => {
      if (!effects) return
      const times = await effects()
      if (call.once && (isUnknown || hasGoneOn)) expect(times, what).toBeLessThanOrEqual(1)
      else expect(times, what).toBe(1)
    }
  }

  return {
    /** Makes one attempt at each call. @returns how many requests each has made, beyond the one for a token */
    async count(calls: Readonly<Record<string, Call>>): Promise<Record<string, number>> {
      const [lane] = lanes
      if (!lane) throw new Error('there is no lane')
      const counts: Record<string, number> = {}
      for (const [name, call] of Object.entries(calls)) {
        const { attempt } = await call.arrange()
        const ports = call.keeps ? lane.portsOf() : lane.ports
        let asked = 0
        const counted = (): undefined => {
          asked += 1
        }
        for (const front of lane.fronts) front.failBy(counted)
        await attempt(ports, 0)
        if (call.keeps) await ports.close()
        counts[name] = asked
      }
      return counts
    },

    /**
     * Makes each call fail by each of its pairs, until it succeeds. @param drawn of the places where faults can come in
     * a call
     */
    async run(
      calls: Readonly<Record<string, Call>>,
      pairsOf: (name: string) => readonly Pair[],
      drawn: (places: readonly Place[]) => readonly Place[] = (places) => places,
    ): Promise<void> {
      const series = Object.entries(calls).flatMap(([name, one]) =>
        drawn(placesOf(one)).flatMap(({ call, after, of }) =>
          pairsOf(name).map((pair): Tried => {
            const what = `${name}, ${of}: ${pair.join(', then ')}`
            return { what, call, after, faults: pair.map((each) => ({ name: each, fault: faultOf(each) })) }
          }),
        ),
      )
      const failed: string[] = []
      const noted = (error: unknown): undefined =>
        void failed.push(error instanceof Error ? error.message : String(error))
      const checks = await pMap(
        series,
        async (tried) => {
          const lane = free.pop()
          if (!lane) throw new Error('no lane is free')
          try {
            return await along(lane, tried)
          } catch (error) {
            return noted(error)
          } finally {
            for (const front of lane.fronts) front.failBy(() => undefined)
            free.push(lane)
          }
        },
        { concurrency: count },
      )
      await Promise.all(checks.map((check) => check?.().catch(noted)))
      expect(failed).toEqual([])
    },

    async close(): Promise<void> {
      await Promise.all(lanes.map(({ ports }) => ports.close()))
    },
  }
}
