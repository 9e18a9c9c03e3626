/** Plays a plan on a running stack, and returns what outside parties and acknowledgements say afterwards. */
import { setTimeout as pause } from 'node:timers/promises'
import pMap from 'p-map'
import { until } from '../../harness/until.ts'
import type { Acknowledgements, OutsideBooks } from '../oracles/record.ts'
import { createActors } from './actors.ts'
import { openAppBackend } from './app-backend.ts'
import { type Act, type Disturbance, isAct, type PlannedEvent } from './events.ts'
import { createGate } from './gate.ts'
import { readOutside, since, withoutPeopleOf } from './outside.ts'
import type { WorldStack } from './stack/stack.ts'
import { createWitness, readJournal, readOss } from './witness.ts'

/** How many people act at the same time; more would only wait for each other. */
const together = 48
const reportEveryMs = 30_000

export interface Played {
  books: OutsideBooks
  said: Acknowledgements
  /** acts that never came to their end, and parts that ended by themselves */
  stuck: string[]
  /** acts that the API has refused, by the reason */
  refused: Map<string, number>
}

export interface PlayOptions {
  /** distinguishes the people of this world from those of others on the same stack */
  world: string
  /** the worlds that were played on the stack before: campaigns and policies reach their people as well */
  before?: readonly string[]
  years: number
  /** a fault of the product to imitate, see sabotage.ts */
  sabotage?: 'double-refund' | undefined
  onProgress?: (line: string) => void
}

export async function play(
  stack: WorldStack,
  events: readonly PlannedEvent[],
  { world, before: worldsBefore = [], years, sabotage, onProgress = () => {} }: PlayOptions,
): Promise<Played> {
  const before = await readOutside(stack.sims)
  const booksBefore = { journalBefore: await readJournal(stack), ossBefore: await readOss(stack) }
  const witness = createWitness(stack)
  const stuck: string[] = []
  const disturbing = { now: 0, from: 0 }
  const gate = createGate()
  const actors = createActors({ stack, witness, world, sabotage, isCalm: () => disturbing.now === 0 })
  const appBackend = await openAppBackend(stack, actors.forward)
  const rounds = [...new Set(events.map(({ round }) => round))].sort((a, b) => a - b)
  stack.crashes.length = 0
  stack.ended.length = 0

  for (const [index, round] of rounds.entries()) {
    const beganAt = Date.now()
    const took: { ms: number; what: string }[] = []
    const ofRound = events.filter((event) => event.round === round)
    const acts = ofRound.filter(isAct)
    let [begun, played, disturbedMs] = [0, 0, 0]
    const reporting = setInterval(
      () =>
        onProgress(
          `  ${played} of ${acts.length} acts after ${seconds(Date.now() - beganAt)}; longest under way: ${[...waiting].slice(0, 3).join(', ')}`,
        ),
      reportEveryMs,
    )
    // In the order in which they have begun.
    const waiting = new Set<string>()
    const lanes = [...new Set(acts.map(({ lane }) => lane))].map((name) => acts.filter(({ lane }) => lane === name))
    const playing = pMap(lanes, playLane, { concurrency: together })
    async function playLane(lane: typeof acts): Promise<void> {
      for (const { act } of lane) {
        begun += 1
        const from = Date.now()
        waiting.add(nameOf(act))
        await gate
          .pass(act.kind, () => actors.play(act))
          .catch((error: unknown) => {
            stuck.push(`${nameOf(act)}: ${error instanceof Error ? error.message : error}`)
          })
        played += 1
        waiting.delete(nameOf(act))
        took.push({ ms: Date.now() - from, what: nameOf(act) })
      }
    }
    const disturbances = ofRound.filter((event) => !isAct(event))
    const disturbed = (async () => {
      const underWay = new Map<string, Promise<void>>()
      for (const event of disturbances) {
        if (isAct(event)) continue
        while (begun < Math.min(event.after, acts.length)) await pause(20)
        const { disturbance } = event
        const part = partOf(disturbance)
        if (disturbance.kind === 'restore' || disturbance.kind === 'next_key') {
          // It needs every part, and ends some itself.
          await Promise.all(underWay.values())
          await disturb(disturbance)
        } else
          underWay.set(
            part,
            (underWay.get(part) ?? Promise.resolve()).then(() => disturb(disturbance)),
          )
      }
      await Promise.all(underWay.values())
    })()
    async function disturb(disturbance: Disturbance): Promise<void> {
      // A receiver in trouble keeps nobody waiting but its own retries.
      const isOfStack = disturbance.kind !== 'endpoint'
      if (isOfStack && disturbing.now === 0) disturbing.from = Date.now()
      if (isOfStack) disturbing.now += 1
      const from = Date.now()
      const what = `${disturbance.kind} of ${partOf(disturbance)}`
      waiting.add(what)
      const isRestore = disturbance.kind === 'restore'
      if (isRestore) await gate.close()
      const over =
        disturbance.kind === 'endpoint'
          ? appBackend.disturb(disturbance)
          : stack.disturb(disturbance, witness.losesDatabase)
      await over.catch((error: unknown) => {
        // Without its database no part of the world goes on.
        if (isRestore) throw error
        stuck.push(`${disturbance.kind}: ${error}`)
      })
      if (isRestore) gate.open()
      waiting.delete(what)
      took.push({ ms: Date.now() - from, what })
      if (isOfStack) disturbing.now -= 1
      if (isOfStack && disturbing.now === 0) disturbedMs += Date.now() - disturbing.from
    }
    await Promise.all([playing, disturbed])
    clearInterval(reporting)
    const playedAt = Date.now()
    await stack.calm()
    await untilReady(stack)
    const settling = actors.settle(onProgress).then(() => appBackend.settle())
    await settling.catch((error: unknown) => stuck.push(`settling round ${round}: ${error}`))
    onProgress(
      `round ${index + 1} of ${rounds.length}: ${acts.length} acts, ${disturbances.length} disturbances for ${seconds(disturbedMs)}, ` +
        `${seconds(playedAt - beganAt)} and ${seconds(Date.now() - playedAt)} to settle`,
    )
    const slowest = took.toSorted((one, other) => other.ms - one.ms).slice(0, 3)
    onProgress(`  the slowest: ${slowest.map(({ ms, what }) => `${what} ${seconds(ms)}`).join(', ')}`)
  }

  const testifiedFrom = Date.now()
  const said = await witness.testify({ years, ...booksBefore, endpoints: appBackend.said })
  await appBackend.settle(said.events).catch((error: unknown) => stuck.push(`events: ${error}`))
  onProgress(`asked for the last time in ${seconds(Date.now() - testifiedFrom)}`)
  const failing = await stack.failingRuns()
  const outside = await readOutside(stack.sims, appBackend.deliveries())
  await appBackend.stop()
  return {
    books: withoutPeopleOf(worldsBefore, since(outside, before)),
    said,
    stuck: [...stuck, ...witness.unanswered, ...stack.ended, ...failing],
    refused: actors.refused,
  }
}

/**
 * The part that a disturbance concerns. Disturbances of one part follow each other; those of several parts happen at
 * the same time.
 */
function partOf(disturbance: Disturbance): string {
  if ('part' in disturbance) return disturbance.part
  if ('endpoint' in disturbance) return `endpoint ${disturbance.endpoint}`
  return 'link' in disturbance ? `connection to ${disturbance.link}` : 'parties'
}

const nameOf = (act: Act): string => `${act.kind} ${'order' in act ? act.order : 'who' in act ? act.who : ''}`
const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`

const untilReady = ({ urls }: WorldStack): Promise<true> =>
  until('the API is ready', async () => (await fetch(`${urls.api}/readyz?exclude=workers`)).ok && (true as const))
