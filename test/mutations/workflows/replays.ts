/**
 * Mutants of the workflows, met by the kept histories: a run of a kept history with the mutant must not replay, or must ask
 * others for something else than the run without it.
 */
import { createLog } from '../../../shared/log.ts'
import { installRuntime } from '../../../worker/temporal-logger.ts'
import { playKept } from '../../replay/asked/play.ts'
import { type Kept, readKept } from '../../replay/kept.ts'
import { describeMutant } from '../instrument.ts'
import type { MutantOutcome } from '../results.ts'
import { bundleMutants, mutantMark } from './mutable-bundle.ts'

/** @param isDrawn whether a mutant is in the sample */
export async function mutateWorkflows(isDrawn: (index: number) => boolean): Promise<MutantOutcome[]> {
  installRuntime({ log: createLog({ level: 'silent' }) })
  const { code, mutants } = await bundleMutants()
  const kept = await readKept()
  const size = ({ history }: Kept): number => history.events?.length ?? 0
  kept.sort((a, b) => size(a) - size(b))

  const plain = await playKept(code, kept)
  for (const [name, played] of plain) if (played.error) throw new Error(`${name}: ${played.error}`)

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
      const { error, notes } = played.get(one.workflowId + mutantMark + mutant) ?? { error: 'none', notes: [] }
      const differs = notes.join('\n') !== plain.get(one.workflowId)?.notes.join('\n')
      if (error !== undefined) killed.set(mutant, 'replay')
      else if (differs && !killed.has(mutant)) killed.set(mutant, 'inputs')
    }
    for (const id of killed.keys()) waiting.delete(id)
  }
  return Promise.all(
    drawn.map(async (mutant) => {
      const by = killed.get(mutant.id)
      const outcome = by ? 'killed' : reached.has(mutant.id) ? 'survived' : 'not reached'
      return { ...(await describeMutant(mutant, outcome)), ...(by && { by }) }
    }),
  )
}
