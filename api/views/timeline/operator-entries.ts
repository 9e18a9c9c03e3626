/** The part of a timeline about operators: what they did, and what they were asked. */
import type { OrderRows } from '../../../db/operator/order-rows.ts'
import { money } from '../../../mails/format.ts'
import { bulkActionWorkflowId } from '../../../workflows/order/bulk-action.contract.ts'
import { plain } from '../plain.ts'
import { because, type Entry } from './timeline-entry.ts'

/** Acts and tasks. @param currency of the amounts of acts */
export function ofOperators({ acts, tasks }: Pick<OrderRows, 'acts' | 'tasks'>, currency: string): Entry[] {
  const hasAct = (name: string, kind: string, by: string | null): boolean =>
    acts.some(({ act, subject, operator }) => act === name && subject === kind && operator === by)
  return [
    ...acts.map((act): Entry => {
      const subject = act.subject === null ? '' : ` ${act.act.endsWith('-task') ? plain(act.subject) : act.subject}`
      const amount =
        act.amount_minor === null ? subject : `${subject} of ${money({ minor: act.amount_minor, currency })}`
      const end = {
        planned: ' (planned)',
        asked: ' (not known yet)',
        done: '',
        refused: ` (not done${because(act.code)})`,
      }[act.state]
      return {
        at: act.asked_at,
        source: 'operator',
        actor: act.operator,
        words: `${plain(act.act)}${amount}${end}${act.reason === null ? '' : `: ${act.reason}`}`,
        isFault: act.state !== 'done',
        workflowId: act.bulk_action_id === null ? null : bulkActionWorkflowId(act.bulk_action_id),
      }
    }),
    ...tasks.flatMap((task): Entry[] => [
      {
        at: task.opened_at,
        source: 'task',
        actor: 'us',
        words: `asked operators: ${plain(task.kind)}${because(task.detail)}`,
        isFault: task.resolved_at === null,
        workflowId: null,
      },
      {
        // An operator's act has an entry of its own, unless it is older than such entries.
        at: hasAct('take-task', task.kind, task.owner) ? null : task.taken_at,
        source: 'task',
        actor: task.owner ?? '',
        words: `took the task ${plain(task.kind)}${task.note === null ? '' : `; note: ${task.note}`}`,
        workflowId: null,
      },
      {
        at: hasAct('settle-task', task.kind, task.resolved_by) ? null : task.resolved_at,
        source: 'task',
        actor: task.resolved_by ?? '',
        words: `closed the task ${plain(task.kind)}`,
        workflowId: null,
      },
    ]),
  ]
}
