/** Plays drawn lives at once, each beside its model. */
import fc from 'fast-check'
import type { Product } from '../../harness/product.ts'
import { seed } from '../../harness/seed.ts'
import { type Command, commandNamed, commandsOfALife, letTimePass } from './commands.ts'
import { Life } from './life.ts'

type Lives = Iterable<Command>[]

/** The same for each seed, which is that of the test run. */
export const drawnLives = (atOnce: number, times = 1, drawnBy = seed): Lives[] =>
  fc.sample(fc.array(commandsOfALife, { minLength: atOnce, maxLength: atOnce }), { numRuns: times, seed: drawnBy })

/** Lives that few draws have. */
export const rareLives = [
  {
    who: 'is erased after two refunds have bounced',
    acts: ['gives the eSIM back', 'a refund bounces', 'repeats the refund', 'a refund bounces', 'deletes the account'],
  },
  // Whoever is erased leaves no history to be checked.
  {
    who: 'asks twice for the return of a used eSIM',
    acts: ['uses the eSIM', 'gives the eSIM back', 'gives the eSIM back'],
  },
] as const

/** The life of a customer whose order is delivered. */
export const lifeOf = (acts: readonly string[]): Command[] => ['orders', 'pays', ...acts].map(commandNamed)

/**
 * @param how.timeoutMs how long something may take that happens by itself
 * @param how.endsEarly all lives end with the first fault
 * @returns what the model does not explain, and what has happened
 */
export async function playLives(
  product: Product,
  lives: Lives,
  { timeoutMs = 60_000, endsEarly = false } = {},
): Promise<{ faults: string[]; story: string[] }> {
  const faults: string[] = []
  const played = lives.map(async (commands) => {
    const isOver = (): boolean => endsEarly && faults.length > 0
    const life = new Life(product, await product.signUp({ device: false }), { timeoutMs, isOver })
    await fc
      .asyncModelRun(() => ({ model: life, real: {} }), commands)
      .then(() => letTimePass(life))
      .then(() => life.settle())
      .catch((error: unknown) => isOver() || faults.push(error instanceof Error ? error.message : String(error)))
    return life.story
  })
  return { faults, story: (await Promise.all(played)).flat() }
}
