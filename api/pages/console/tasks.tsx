/** Operator tasks on the console. */
import { goneButListed, stepOfTask } from '../../../db/erasure/step-tasks.ts'
import type { TaskOwner } from '../../../db/operator/task-owners.ts'
import type { OperatorTask, TaskFilter } from '../../../db/operator-tasks.ts'
import { moment } from '../../../mails/format.ts'
import { urgencies } from '../../../policy/operator-tasks.ts'
import { plain } from '../../views/plain.ts'
import { type ConsoleFrame, renderConsolePage } from './frame.tsx'
import { age, Options, Table } from './parts.tsx'
import { FoldedAdvice, TaskAbout } from './task-subject.tsx'

export interface TasksPage {
  asOf: Date
  filter: TaskFilter
  /** true: only those of the operator who looks */
  isMine: boolean
  count: number
  items: readonly OperatorTask[]
  /** what the tasks are about, by their ids */
  owners: ReadonlyMap<string, TaskOwner>
  /** the address of the page after; null on the last one */
  next: string | null
  kinds: readonly { kind: string; count: number }[]
  operators: ReadonlyMap<string, string>
  /** whether the role may end the steps of deletions */
  endsSteps: boolean
}

export function renderTasks(frame: ConsoleFrame, page: TasksPage): string {
  const { filter, count, items } = page
  return renderConsolePage(frame, {
    part: '/console/tasks',
    title: `Tasks (${count}${items.length < count ? `, ${items.length} shown` : ''})`,
    children: (
      <>
        <form method="get" action="/console/tasks">
          <div className="pairs">
            <label>
              Urgency
              <select name="urgency" defaultValue={filter.urgency ?? ''}>
                <option value="">all</option>
                <Options of={urgencies} words={plain} />
              </select>
            </label>
            <label>
              Kind
              <select name="kind" defaultValue={filter.kind ?? ''}>
                <option value="">all</option>
                {page.kinds.map(({ kind, count: ofKind }) => (
                  <option key={kind} value={kind}>
                    {plain(kind)} ({ofKind})
                  </option>
                ))}
              </select>
            </label>
            <label>
              Owner
              <select name="owner" defaultValue={page.isMine ? 'me' : filter.owner === null ? 'nobody' : ''}>
                <option value="">all</option>
                <option value="nobody">nobody</option>
                <option value="me">me</option>
              </select>
            </label>
          </div>
          <button type="submit">Show</button>
        </form>
        {items.length === 0 ? <p className="quiet">Nothing.</p> : <TaskTable {...page} tasks={items} />}
        {page.next ? (
          <p>
            <a href={page.next}>Less urgent and newer ones</a>
          </p>
        ) : null}
      </>
    ),
  })
}

/** Open tasks with what an operator can do to them. */
export function TaskTable({
  tasks,
  owners,
  asOf,
  operators,
  endsSteps,
}: {
  tasks: readonly OperatorTask[]
  owners: ReadonlyMap<string, TaskOwner>
  asOf: Date
  operators: ReadonlyMap<string, string>
  endsSteps: boolean
}) {
  return (
    <Table heads={['Task', 'About', 'Open', 'Due', 'Owner', 'Note', 'Do']} stacks>
      {tasks.map((task) => (
        <tr key={task.id}>
          <td className={task.urgency === 'now' ? 'what short broken' : 'what short'}>
            {plain(task.kind)}
            <br />
            <span className="quiet">{plain(task.urgency)}</span>
          </td>
          <td>
            <TaskAbout task={task} owner={owners.get(task.id)} />
            <FoldedAdvice kind={task.kind} />
          </td>
          <td>
            for {age(asOf, task.openedAt)}, since {moment(task.openedAt)}
          </td>
          <td className={task.dueAt && task.dueAt < asOf ? 'broken' : undefined}>
            {task.dueAt && task.dueAt < asOf ? 'LATE, was due by ' : task.dueAt ? 'by ' : ''}
            {task.dueAt ? moment(task.dueAt) : 'no due day'}
          </td>
          <td>
            {task.owner ? (
              <>
                {operators.get(task.owner) ?? ''} <code>{task.owner}</code>
                {task.takenAt ? ` for ${age(asOf, task.takenAt)}` : ''}
              </>
            ) : (
              'nobody has taken it'
            )}
          </td>
          <td>
            {task.note ? <p>{task.note}</p> : null}
            {task.noteBy && task.notedAt ? (
              <p className="quiet">
                by {operators.get(task.noteBy) ?? <code>{task.noteBy}</code>} on {moment(task.notedAt)}
              </p>
            ) : null}
          </td>
          <td>
            <TaskActs task={task} endsSteps={endsSteps} />
          </td>
        </tr>
      ))}
    </Table>
  )
}

/** What an operator can do to an open task. */
export function TaskActs({ task, endsSteps }: { task: OperatorTask; endsSteps: boolean }) {
  const act = (name: string, label: string) => (
    <a
      className="button plain"
      href={`/console/attention/${task.id}/${name}`}
      aria-label={`${label}: ${plain(task.kind)}, ${task.subjectId}`}
    >
      {label}
    </a>
  )
  return (
    <div className="acts">
      {act('take', 'Take')}
      {act('note', 'Note')}
      {isLeft(task) ? null : act('settle', 'Settle')}
      {endsSteps && isLeft(task) && task.detail !== goneButListed ? (
        <>
          {act('try-again', 'Try again')}
          {act('complete', 'Done by hand')}
        </>
      ) : null}
    </div>
  )
}

/** Whether it is about a step of a deletion that was left to operators: closing it would leave the deletion open. */
const isLeft = (task: OperatorTask): boolean => stepOfTask(task) !== undefined && task.detail !== 'overdue'
