/**
 * Mutants of the workflows, met by the kept histories: a run of a kept history with the mutant must not replay, or must
 * ask, answer, show or refuse something else than the run without it (test/replay/asked).
 */
import { createLog } from '../../../shared/log.ts'
import { installRuntime } from '../../../worker/temporal-logger.ts'
import { outcomeOfBug, withBugs } from '../../replay/asked/bugs.ts'
import { type Played, playKept } from '../../replay/asked/play.ts'
import { type Kept, readKept } from '../../replay/kept.ts'
import { describeMutant } from '../instrument.ts'
import type { MutantOutcome } from '../results.ts'
import { bundleMutants, mutantMark } from './mutable-bundle.ts'

const noRun: Played = { error: 'did not run', notes: [], covered: new Set() }

/** @param isDrawn whether a mutant is in the sample */
export async function mutateWorkflows(isDrawn: (index: number) => boolean): Promise<MutantOutcome[]> {
  installRuntime({ log: createLog({ level: 'silent' }) })
  const { code, mutants } = await bundleMutants()
  const histories = await readKept()
  const bugs = withBugs(histories)
  const isBug = new Set(bugs.map(({ workflowId }) => workflowId))
  const kept = [...histories, ...bugs]
  const size = ({ history }: Kept): number => history.events?.length ?? 0
  kept.sort((a, b) => size(a) - size(b))

  const plain = await playKept(code, kept)
  for (const [name, { error }] of plain) if (error && !isBug.has(name)) throw new Error(`${name}: ${error}`)
  const outcomeOf = (name: string, played: Played): string | undefined =>
    isBug.has(name) ? outcomeOfBug(played) : played.error && 'does not replay'

  const drawn = mutants.filter((_, index) => isDrawn(index))
  /** `replay`: its commands are others; `inputs`: only what it asks or answers */
  const killed = new Map<string, 'replay' | 'inputs'>()
  const waiting = new Map(
    drawn.map(({ id }) => [id, kept.filter(({ workflowId }) => plain.get(workflowId)?.covered.has(id))]),
  )
  const reached = new Set([...waiting].flatMap(([id, histories]) => (histories.length > 0 ? [id] : [])))
  // Most mutants are noticed by the first history that reaches them.
  for (let round = 1; [...waiting.values()].some((histories) => histories.length > 0); round++) {
    const batch = [...waiting].flatMap(([id, histories]) =>
      histories.splice(0, round).map((one) => ({ one, mutant: id })),
    )
    process.stdout.write(`round ${round}: ${batch.length} replays\n`)
    const played = await playKept(
      code,
      batch.map(({ one, mutant }) => ({ ...one, workflowId: one.workflowId + mutantMark + mutant })),
    )
    for (const { one, mutant } of batch) {
      const now = played.get(one.workflowId + mutantMark + mutant) ?? noRun
      const before = plain.get(one.workflowId) ?? noRun
      if (outcomeOf(one.workflowId, now) !== outcomeOf(one.workflowId, before)) killed.set(mutant, 'replay')
      // The requests of a run before a bug ended it depend on nothing else than without the bug.
      else if (!isBug.has(one.workflowId) && now.notes.join('\n') !== before.notes.join('\n') && !killed.has(mutant))
        killed.set(mutant, 'inputs')
    }
    for (const id of killed.keys()) waiting.delete(id)
  }
  return drawn.map((mutant) => {
    const by = killed.get(mutant.id)
    const outcome = by ? 'killed' : reached.has(mutant.id) ? 'survived' : 'not reached'
    return { ...describeMutant(mutant, outcome), ...(by && { by }) }
  })
}
