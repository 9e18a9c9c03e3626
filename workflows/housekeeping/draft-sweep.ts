/** Every few minutes: starts the run of drafts that have none, or deletes them; reports runs without an outcome. */
import { proxyActivities, workflowInfo } from '@temporalio/workflow'
import { propertyOf } from '../../shared/keys-of.ts'
import * as retry from '../run/retry.ts'
import { showStatusDetails } from '../run/run-status.ts'
import type { DraftSweepActivities, DraftSweepReport } from './draft-sweep.contract.ts'

const { settleDrafts } = proxyActivities<DraftSweepActivities>(retry.hourlySweep)

export async function draftSweep(): Promise<DraftSweepReport> {
  showStatusDetails({ status: 'looking', waitingFor: 'the database', dueAt: null })
  const asOf = new Date().toISOString()
  const lastAsOf = propertyOf(workflowInfo().lastResult, 'asOf')
  return { ...(await settleDrafts({ asOf, lastAsOf: typeof lastAsOf === 'string' ? lastAsOf : undefined })), asOf }
}
