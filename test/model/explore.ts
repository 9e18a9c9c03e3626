/** Takes the steps of the model in every order. */
import { brokenIn } from './invariants.ts'
import { canTake, nothingYet, type StepName, stepNames, take, type Who, type World, whoTakes } from './model.ts'

export interface Exploration {
  worlds: number
  ends: number
  /** steps that were taken somewhere */
  taken: Set<StepName>
  /** from one state of an order to another by its run, as `delivered → ended` */
  moves: Set<string>
  /** the same with the step, as `delivered → ended: expires` */
  movesBy: Set<string>
  /** the first broken invariant, with the shortest path to it */
  broken: { invariant: string; path: StepName[] } | undefined
}

const byThemselves: readonly Who[] = ['run', 'outside', 'time', 'restore']

interface Limits {
  /** steps that nobody takes */
  never?: readonly StepName[]
  /** a rule of a step, or of all steps, that is left out */
  without?: { step?: StepName | undefined; rule: string }
}

/** Breadth first, until an invariant breaks. */
export function explore({ never = [], without }: Limits = {}): Exploration {
  const names = stepNames.filter((name) => !never.includes(name))
  const seen = new Map<string, { from: string; by: StepName } | undefined>()
  const taken = new Set<StepName>()
  const moves = new Set<string>()
  const movesBy = new Set<string>()
  let ends = 0
  let level = [nothingYet]
  seen.set(keyOf(nothingYet), undefined)
  while (level.length > 0) {
    const next: World[] = []
    for (const world of level) {
      const key = keyOf(world)
      const possible = names.filter((name) => canTake(world, name, ruleLeftOut(name)))
      const isEnd = !possible.some((name) => byThemselves.includes(whoTakes(name)))
      if (isEnd) ends += 1
      const invariant = brokenIn(world, isEnd)
      if (invariant) return { worlds: seen.size, ends, taken, moves, movesBy, broken: { invariant, path: pathTo(key) } }
      for (const name of possible) {
        taken.add(name)
        const after = take(world, name)
        const isByRun = world.run === 'open' && !after.isErased && !after.isLost
        if (isByRun && after.status !== world.status) {
          moves.add(`${world.status} → ${after.status}`)
          movesBy.add(`${world.status} → ${after.status}: ${name}`)
        }
        const afterKey = keyOf(after)
        if (seen.has(afterKey)) continue
        seen.set(afterKey, { from: key, by: name })
        next.push(after)
      }
    }
    level = next
  }
  return { worlds: seen.size, ends, taken, moves, movesBy, broken: undefined }

  function ruleLeftOut(name: StepName): string | undefined {
    return without && (without.step ?? name) === name ? without.rule : undefined
  }

  function pathTo(key: string): StepName[] {
    const found = seen.get(key)
    return found ? [...pathTo(found.from), found.by] : []
  }
}

const rowsKey = (rows: World['rows'] | null): string => (rows ? `${rows.account}${rows.order}${rows.stated}` : '-')

/** The same for equal worlds. */
export const keyOf = ({ rows, backup, ...rest }: World): string =>
  `${Object.values(rest).join()},${rowsKey(rows)},${rowsKey(backup)}`
