/** Replays kept histories and notes what each run asks of others and answers: test/replay/asked/recorder.ts. */
import { failedReplays } from '../../../worker/replay.ts'
import type { Kept } from '../kept.ts'

export interface Played {
  /** undefined when it replays */
  error: string | undefined
  notes: string[]
  /** ids of mutants that the run has reached, in a bundle that has some: test/mutations/workflows */
  covered: Set<string>
}

/** @param code of a bundle with the recorder. @returns by workflow id */
export async function playKept(
  code: string,
  runs: readonly Pick<Kept, 'workflowId' | 'history'>[],
): Promise<Map<string, Played>> {
  const played = new Map<string, Played>()
  const of = (workflowId: string): Played => {
    const known = played.get(workflowId) ?? { error: undefined, notes: [], covered: new Set() }
    played.set(workflowId, known)
    return known
  }
  const histories = runs.map(({ workflowId, history }) => ({ workflowId, history }))
  for (const { workflowId } of histories) of(workflowId)
  const sinks = {
    recorder: {
      note: {
        fn: ({ workflowId }: { workflowId: string }, text: string) => void of(workflowId).notes.push(text),
        callDuringReplay: true,
      },
      covered: {
        fn: ({ workflowId }: { workflowId: string }, id: string) => void of(workflowId).covered.add(id),
        callDuringReplay: true,
      },
    },
  }
  const failed = await failedReplays({ workflowBundle: { code }, replayName: 'asked', sinks }, histories)
  for (const [workflowId, error] of failed) of(workflowId).error = `${error.name}: ${error.message}`
  return played
}
