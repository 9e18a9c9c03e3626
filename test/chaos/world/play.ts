/** Plays a plan on a running stack, and returns what outside parties and acknowledgements say afterwards. */
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../harness/until.ts'
import type { Acknowledgements, OutsideBooks } from '../judge/record.ts'
import { createActors } from './actors.ts'
import { isAct, type PlannedEvent } from './events.ts'
import { readOutside, since } from './outside.ts'
import type { WorldStack } from './stack.ts'
import { createWitness, readJournal } from './witness.ts'

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
  years: number
  /** a fault of the product to imitate, see sabotage.ts */
  sabotage?: 'double-refund' | undefined
  onProgress?: (line: string) => void
}

export async function play(
  stack: WorldStack,
  events: readonly PlannedEvent[],
  { world, years, sabotage, onProgress = () => {} }: PlayOptions,
): Promise<Played> {
  const before = await readOutside(stack.sims)
  const journalBefore = await readJournal(stack)
  const witness = createWitness(stack)
  const stuck: string[] = []
  const disturbing = { now: 0 }
  const actors = createActors({ stack, witness, world, sabotage, isCalm: () => disturbing.now === 0 })
  const rounds = [...new Set(events.map(({ round }) => round))].sort((a, b) => a - b)
  stack.crashes.length = 0

  for (const [index, round] of rounds.entries()) {
    const beganAt = Date.now()
    const ofRound = events.filter((event) => event.round === round)
    const acts = ofRound.filter(isAct)
    let begun = 0
    const lanes = [...new Set(acts.map(({ lane }) => lane))].map((name) => acts.filter(({ lane }) => lane === name))
    const playing = lanes.map(async (lane) => {
      for (const { act } of lane) {
        begun += 1
        await actors.play(act).catch((error: unknown) => {
          const name = 'order' in act ? act.order : 'who' in act ? act.who : ''
          stuck.push(`${act.kind} ${name}: ${error instanceof Error ? error.message : error}`)
        })
      }
    })
    const disturbances = ofRound.filter((event) => !isAct(event))
    const disturbed = (async () => {
      for (const event of disturbances) {
        if (isAct(event)) continue
        while (begun < Math.min(event.after, acts.length)) await pause(20)
        disturbing.now += 1
        await stack
          .disturb(event.disturbance)
          .catch((error: unknown) => stuck.push(`${event.disturbance.kind}: ${error}`))
        disturbing.now -= 1
      }
    })()
    await Promise.all([...playing, disturbed])
    const playedAt = Date.now()
    await stack.calm()
    await untilReady(stack)
    await actors.settle().catch((error: unknown) => stuck.push(`settling round ${round}: ${error}`))
    onProgress(
      `round ${index + 1} of ${rounds.length}: ${acts.length} acts, ${disturbances.length} disturbances, ` +
        `${seconds(playedAt - beganAt)} and ${seconds(Date.now() - playedAt)} to settle`,
    )
  }

  const said = await witness.testify({ years, journalBefore })
  return { books: since(await readOutside(stack.sims), before), said, stuck, refused: actors.refused }
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`

const untilReady = ({ urls }: WorldStack): Promise<true> =>
  until('the API is ready', async () => (await fetch(`${urls.api}/readyz`)).ok && (true as const))
