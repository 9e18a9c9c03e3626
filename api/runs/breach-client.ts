/** Opens breaches and notifies their runs of what operators have recorded. */
import type { ApiContext } from '../../context.ts'
import { type Breach, findBreach, insertBreach, type NewBreach } from '../../db/access/breaches.ts'
import { sendUpdate } from '../../temporal/runs.ts'
import { breachStart, breachWorkflowId, opened, recorded } from '../../workflows/breach/breach.contract.ts'
import { orNotFound, Problem } from '../http/problem.ts'
import { callRun, startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'breach_state_conflict', detail: 'The breach is closed.' } as const

/** Opens breaches, and notifies their runs of what operators decide. */
export function createBreachClient({ sql, temporal, config }: ApiContext) {
  async function found(id: string): Promise<Breach> {
    return orNotFound(await findBreach(sql, id))
  }

  return {
    found,

    /** Opens a breach, or finds it by its id. The row is a draft until its run has found the people. */
    async open(breach: NewBreach): Promise<Breach> {
      await insertBreach(sql, breach)
      const start = breachStart({ id: breach.id, authorityDueAt: breach.authority_due_at }, config.TEMPORAL_TASK_QUEUE)
      await startAndUpdate(temporal, opened, start, ended)
      return found(breach.id)
    },

    /**
     * Records something in the row, then notifies the run, which reads the row before it acts: when this fails in
     * between, the next reminder reads it.
     * @throws Problem not_found; breach_state_conflict when something else was recorded before
     */
    async record(id: string, write: () => Promise<boolean>, isSame: (breach: Breach) => boolean): Promise<Breach> {
      if (!(await write()) && !isSame(await found(id))) {
        throw new Problem('breach_state_conflict', { detail: 'Something else is on record.' })
      }
      if ((await found(id)).state === 'open') {
        await callRun(
          temporal,
          (deadline) => sendUpdate(temporal, breachWorkflowId(id), recorded, [], { deadline }),
          ended,
        )
      }
      return found(id)
    },
  }
}
