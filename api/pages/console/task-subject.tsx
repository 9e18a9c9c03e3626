import type { OperatorTask, TaskAttributes } from '../../../db/operator-tasks.ts'
import { money } from '../../../mails/format.ts'
import { plain } from './parts.tsx'

/** The subject of a task, on the form of an act. */
export function TaskSubject({ task }: { task: OperatorTask }) {
  return (
    <p>
      {plain(task.kind)}: <code>{task.subjectId}</code>
      {task.detail ? `: ${task.detail}` : ''}
      {task.attributes ? <Attributes of={task.attributes} /> : null}
    </p>
  )
}

/** The facts by which an operator settles a task. */
export function Attributes({ of: { amountMinor, currency, ...others } }: { of: TaskAttributes }) {
  const amount =
    typeof amountMinor === 'number' && typeof currency === 'string' ? money({ minor: amountMinor, currency }) : null
  const facts = Object.entries(others).flatMap(([name, value]) =>
    value === null ? [] : [`${name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${value}`],
  )
  return (
    <>
      <br />
      {[...(amount ? [amount] : []), ...facts].join(', ')}
    </>
  )
}
