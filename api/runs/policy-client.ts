/** Posts and withdraws versions of the privacy policy by their runs. */
import type { ApiContext } from '../../context.ts'
import { findPolicy, insertDraft, type NewPolicy, type Policy, withdrawPolicy } from '../../db/policies.ts'
import { sendUpdate } from '../../temporal/runs.ts'
import { policyNoticeStart, policyNoticeWorkflowId, post, withdraw } from '../../workflows/policy-notice.contract.ts'
import { orNotFound, Problem } from '../http/problem.ts'
import { callRun, startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'policy_state_conflict', detail: 'The version is in force, or was withdrawn.' } as const

export function createPolicyClient({ sql, config, temporal }: ApiContext) {
  return {
    /**
     * Posts a version, or finds it when the same policy was posted before. The row is a draft, which no route shows,
     * until its run has posted it.
     * @throws Problem policy_version_taken when the version has another text; policy_state_conflict while another
     * version waits to take effect
     */
    async post(policy: NewPolicy, by: string): Promise<Policy> {
      const draft = await insertDraft(sql, policy, { by, at: new Date() })
      if (!isTheSame(draft, policy)) throw new Problem('policy_version_taken')
      const start = policyNoticeStart({ version: policy.version }, config.TEMPORAL_TASK_QUEUE)
      await startAndUpdate(temporal, post, start, ended)
      return found(policy.version)
    },

    /** Withdraws a version that is not yet in force. @throws Problem not_found, policy_state_conflict */
    async withdraw(version: string): Promise<Policy> {
      const { state } = await found(version)
      // A draft has no run to ask.
      if (state === 'draft') await withdrawPolicy(sql, version, new Date())
      else if (state === 'in_force' || state === 'superseded') throw new Problem('policy_state_conflict')
      else if (state === 'posted') {
        const ask = (deadline: number) =>
          sendUpdate(temporal, policyNoticeWorkflowId(version), withdraw, [], { deadline })
        await callRun(temporal, ask, ended).catch(async (error: unknown) => {
          // Its run was terminated: the row decides, and a run that is reset notifies the people.
          const isEnded = error instanceof Problem && error.code === ended.code
          if (!isEnded || !(await withdrawPolicy(sql, version, new Date()))) throw error
        })
      }
      return found(version)
    },
  }

  async function found(version: string): Promise<Policy> {
    return orNotFound(await findPolicy(sql, version))
  }
}

function isTheSame(known: Policy, asked: NewPolicy): boolean {
  return (
    known.title === asked.title &&
    known.body === asked.body &&
    known.material === asked.material &&
    known.changes.join('\n') === asked.changes.join('\n') &&
    known.announced_for.getTime() === asked.effective_at.getTime()
  )
}
