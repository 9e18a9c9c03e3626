import type { TaskOwner } from '../../../db/operator/task-owners.ts'
import type { OperatorTask, TaskAttributes } from '../../../db/operator-tasks.ts'
import { money } from '../../../mails/format.ts'
import { adviceOn } from '../../../policy/operators/task-advice.ts'
import { plain } from '../../views/plain.ts'

/** The subject of a task, on the form of an act. */
export function TaskSubject({ task, owner }: { task: OperatorTask; owner: TaskOwner | undefined }) {
  return (
    <>
      <p>
        {plain(task.kind)}: <TaskAbout task={task} owner={owner} />
      </p>
      <Advice kind={task.kind} />
    </>
  )
}

/** What a task means, and what to do about it, for a list behind an opener. */
export function FoldedAdvice({ kind }: { kind: string }) {
  if (adviceOn(kind) === undefined) return null
  return (
    <details>
      <summary>What to do</summary>
      <Advice kind={kind} />
    </details>
  )
}

function Advice({ kind }: { kind: string }) {
  const advice = adviceOn(kind)
  if (advice === undefined) return null
  return (
    <>
      <p>{advice.meaning}.</p>
      <p>{advice.cure}.</p>
    </>
  )
}

/** The subject of a task, which leads to its page where it has one, and the facts by which an operator settles it. */
export function TaskAbout({
  task,
  owner,
}: {
  task: Pick<OperatorTask, 'subjectId' | 'detail' | 'attributes'>
  owner: TaskOwner | undefined
}) {
  const page = owner && pageOf(owner)
  const subject = <code>{task.subjectId}</code>
  return (
    <>
      {page ? <a href={page}>{subject}</a> : subject}
      {task.detail ? `: ${inWords(task.detail)}` : ''}
      {task.attributes ? <Attributes of={factsOf(task.attributes, task.detail, owner)} /> : null}
    </>
  )
}

function pageOf({ orderId, requestId, accountId }: TaskOwner): string | undefined {
  if (orderId !== null) return `/console/orders/${orderId}`
  if (requestId !== null) return `/console/privacy-requests/${requestId}`
  return accountId === null ? undefined : `/console/accounts/${accountId}`
}

/** The facts by which an operator settles a task. */
function Attributes({ of: facts }: { of: readonly string[] }) {
  if (facts.length === 0) return null
  return (
    <>
      <br />
      {facts.join(', ')}
    </>
  )
}

/** What the subject and its page do not say already: a fact that is false is none. */
function factsOf(
  { amountMinor, currency, ...others }: TaskAttributes,
  detail: string | null,
  owner: TaskOwner | undefined,
): string[] {
  const amount = typeof amountMinor === 'number' && typeof currency === 'string'
  const facts = Object.entries(others).flatMap(([name, value]) => {
    if (value === null || value === false || value === detail || value === owner?.orderId) return []
    const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    return value === true ? [words] : [`${words} ${inWords(String(value))}`]
  })
  return [...(amount ? [money({ minor: amountMinor, currency })] : []), ...facts]
}

/** Codes in words; ids, texts and numbers as they are. */
const inWords = (value: string): string => (/^[a-z]+(?:_[a-z]+)*$/.test(value) ? plain(value) : value)
