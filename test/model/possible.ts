/** The worlds in which something may be, seen from outside: nobody there sees the order of what happens by itself. */
import { keyOf } from './explore.ts'
import { canTake, type StepName, stepNames, take, type World, whoTakes } from './model.ts'

/** Steps that happen while nobody does anything and no time passes. Our providers have eSIMs. */
const byThemselves = stepNames.filter((name) => ['run', 'outside'].includes(whoTakes(name)) && name !== 'has no eSIM')

/** All worlds that these may have become. */
export function closure(worlds: readonly World[]): World[] {
  const found = new Map(worlds.map((world) => [keyOf(world), world]))
  // A map is iterated in the order of its insertions, those of meanwhile included.
  for (const world of found.values())
    for (const name of byThemselves)
      if (canTake(world, name)) {
        const after = take(world, name)
        if (!found.has(keyOf(after))) found.set(keyOf(after), after)
      }
  return [...found.values()]
}

/** Nothing more happens by itself. */
export const isCalm = (world: World): boolean => !byThemselves.some((name) => canTake(world, name))

/** The worlds in which a step was taken, or could not be. */
export const accepted = (worlds: readonly World[], name: StepName): World[] =>
  closure(
    closure(worlds)
      .filter((world) => canTake(world, name))
      .map((world) => take(world, name)),
  )

export const refused = (worlds: readonly World[], name: StepName): World[] =>
  closure(worlds).filter((world) => !canTake(world, name))
