import type { WorkerContext } from '../../context.ts'
import { giveUpEndpoint } from '../../db/events/deliveries.ts'
import { disabledEndpointTask } from '../../db/events/endpoints.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'

/** Disables an endpoint and notifies operators. */
export async function disableEndpoint(
  { sql }: Pick<WorkerContext, 'sql'>,
  endpointId: string,
  because: 'failing' | 'gone',
  at: Date,
): Promise<void> {
  // First the task: after a crash between both it is raised again, and the endpoint disabled.
  await raiseOperatorTask(sql, { kind: disabledEndpointTask, subjectId: endpointId, detail: because, at })
  await giveUpEndpoint(sql, endpointId, because)
}
