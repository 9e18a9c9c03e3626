/** Operator tasks: what only an operator can settle, the most urgent first. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { findReceipt } from '../../../db/erasure/deletions.ts'
import { accountsOf, ownersOfTasks } from '../../../db/operator/task-owners.ts'
import {
  countOpenOperatorTasks,
  findOperatorTask,
  listClosedOperatorTasks,
  listOpenOperatorTasks,
  type OperatorTask,
  positionOf,
  type TaskPosition,
} from '../../../db/operator-tasks.ts'
import { urgencies } from '../../../policy/operator-tasks.ts'
import { adviceOn } from '../../../policy/operators/task-advice.ts'
import { isoOrNull } from '../../../shared/calendar.ts'
import { actAndRecord } from '../../acts/recorded-acts.ts'
import { actorOf, type Caller } from '../../http/caller.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../../http/cursor.ts'
import { orNotFound } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { idParams, sentId, sentTime } from '../../http/storable.ts'
import { actReason, taskNote } from '../../views/operator-words.ts'
import { createTaskActs, type TaskActName } from './task-acts.ts'

const time = z.iso.datetime()

const operatorTask = z
  .object({
    id: z.uuid(),
    kind: z.string(),
    subjectId: z.string().describe('an order, a run, an outside party, ...: the kind says which'),
    detail: z.string().nullable().describe('a code, never personal data'),
    meaning: z.string().nullable().describe('what tasks of this kind are about'),
    cure: z.string().nullable().describe('what an operator does about it'),
    urgency: z.enum(urgencies),
    openedAt: time,
    dueAt: time.nullable().describe('when it is too late to settle it'),
    attributes: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .nullable()
      .describe('what an operator has to know to decide: amounts, codes, ids'),
    ageSeconds: z.int().nonnegative().describe('since it was opened; of a closed one until then'),
    owner: z.string().nullable().describe('the operator who works on it, as the security log names them'),
    takenAt: time.nullable(),
    note: z.string().nullable(),
    noteBy: z.string().nullable().describe('the operator who wrote the note'),
    notedAt: time.nullable(),
    closedAt: time.nullable(),
    closedBy: z.string().nullable().describe('an operator, or what settled it by itself'),
  })
  .meta({ id: 'OperatorTask' })

const tasks = pageOf(operatorTask)
  .extend({ open: z.int().nonnegative().describe('all open tasks, those of other pages too') })
  .meta({ id: 'OperatorTasks' })

const stepDone = z
  .object({ receiptId: z.uuid(), completedAt: time.nullable().describe('null while another step is open') })
  .meta({ id: 'ErasureStepDone' })
const taskNoted = z.strictObject({ note: taskNote }).meta({ id: 'TaskNote' })

/** The position of a page in the list. */
export const taskPosition = z.tuple([z.int().min(0).max(9), sentTime, sentId]) satisfies z.ZodType<TaskPosition>

export function operatorTaskRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const acts = createTaskActs(api)

  /** @param words the note; it is the reason, too */
  async function act(name: TaskActName, id: string, caller: Caller, words?: string) {
    const { entryOf, about } = await acts.known(id)
    await actAndRecord(api, caller, undefined, entryOf(name, words ?? null), () =>
      acts.perform(name, id, actorOf(caller), words),
    )
    const at = new Date()
    const task = orNotFound(await findOperatorTask(sql, id, at))
    return { status: 200 as const, about, body: viewOf(task, at) }
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/operator-tasks',
      tag: 'operator tasks',
      summary: 'List open tasks, the most urgent first and of these the oldest; or closed ones, the newest first',
      callers: ['operator'],
      reads: ['orders'],
      query: z.strictObject({ ...pageQuery, state: z.enum(['open', 'closed']).default('open') }),
      responses: { 200: { description: 'A page of tasks', schema: tasks } },
      async handle({ query: { state, cursor, limit } }) {
        const after = decodeCursor(cursor, taskPosition)
        const list = state === 'open' ? listOpenOperatorTasks : listClosedOperatorTasks
        const at = new Date()
        const [found, open] = await Promise.all([
          list(sql, { limit: limit + 1, after, asOf: at }),
          countOpenOperatorTasks(sql),
        ])
        const { rows, nextCursor } = cutPage(found, limit, positionOf)
        const owners = await ownersOfTasks(sql, rows)
        return {
          status: 200,
          about: accountsOf(owners),
          body: { items: rows.map((task) => viewOf(task, at)), nextCursor, open },
        }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/operator-tasks/{id}/take',
      tag: 'operator tasks',
      summary: 'Take an open task, also from another operator',
      callers: ['operator'],
      reads: ['orders'],
      params: idParams,
      body: actReason.optional(),
      responses: { 200: { description: 'The task is yours', schema: operatorTask } },
      problems: ['not_found'],
      async handle({ params: { id }, body, caller }) {
        return act('take', id, caller, body?.reason)
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/operator-tasks/{id}/note',
      tag: 'operator tasks',
      summary: 'Replace the note of an open task',
      callers: ['operator'],
      reads: ['orders'],
      params: idParams,
      body: taskNoted,
      responses: { 200: { description: 'The note is stored', schema: operatorTask } },
      problems: ['not_found'],
      async handle({ params: { id }, body: { note }, caller }) {
        return act('note', id, caller, note)
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/operator-tasks/{id}/close',
      tag: 'operator tasks',
      summary: 'Close an open task',
      callers: ['operator'],
      reads: ['orders'],
      params: idParams,
      body: z.strictObject({ note: taskNote.optional() }).meta({ id: 'TaskClosing' }),
      responses: { 200: { description: 'The task is closed', schema: operatorTask } },
      problems: ['not_found', 'erasure_step_conflict'],
      async handle({ params: { id }, body: { note }, caller }) {
        return act('settle', id, caller, note)
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/operator-tasks/{id}/complete',
      tag: 'operator tasks',
      summary:
        'Record that the step of a deletion that was left to operators was done by hand, and how: the receipt says `done`, and is completed once no other step is open',
      promises: ['G3'],
      callers: ['operator'],
      reads: ['orders'],
      params: idParams,
      body: taskNoted,
      responses: { 200: { description: 'The step is done', schema: stepDone } },
      problems: ['not_found', 'erasure_step_conflict'],
      async handle({ params: { id }, body: { note }, caller }) {
        const { task, entryOf, about } = await acts.known(id)
        await actAndRecord(api, caller, undefined, entryOf('complete', note), () =>
          acts.perform('complete', id, actorOf(caller), note),
        )
        const receipt = await findReceipt(sql, task.subjectId)
        const completedAt = isoOrNull(receipt?.completedAt)
        return { status: 200, about, body: { receiptId: task.subjectId, completedAt } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/operator-tasks/{id}/try-again',
      tag: 'operator tasks',
      summary: 'Try the step of a deletion that was left to operators again, once its cause is removed',
      promises: ['G3'],
      callers: ['operator'],
      reads: ['orders'],
      params: idParams,
      body: actReason.optional(),
      responses: { 200: { description: 'It is being tried; the task closes when it is done', schema: operatorTask } },
      problems: ['not_found', 'erasure_step_conflict'],
      async handle({ params: { id }, body, caller }) {
        return act('try-again', id, caller, body?.reason)
      },
    }),
  ]
}

function viewOf(
  { openedAt, dueAt, takenAt, notedAt, closedAt, ...task }: OperatorTask,
  at: Date,
): z.input<typeof operatorTask> {
  const { meaning = null, cure = null } = adviceOn(task.kind) ?? {}
  return {
    ...task,
    meaning,
    cure,
    openedAt: openedAt.toISOString(),
    dueAt: isoOrNull(dueAt),
    notedAt: isoOrNull(notedAt),
    ageSeconds: Math.max(0, Math.floor(((closedAt ?? at).getTime() - openedAt.getTime()) / 1000)),
    takenAt: isoOrNull(takenAt),
    closedAt: isoOrNull(closedAt),
  }
}
