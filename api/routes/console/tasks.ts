/** Operator tasks on the console. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { operatorNames } from '../../../db/operator/operator-names.ts'
import { accountsOf, ownersOfTasks } from '../../../db/operator/task-owners.ts'
import {
  countOpenOperatorTasks,
  countOpenTasksByKind,
  listOpenOperatorTasks,
  type OperatorTask,
  positionOf,
  type TaskFilter,
} from '../../../db/operator-tasks.ts'
import { urgencies } from '../../../policy/operator-tasks.ts'
import { isPermitted, type OperatorPermission } from '../../../policy/operators/operator-roles.ts'
import { actorOf } from '../../http/caller.ts'
import { cutPage, decodeCursor } from '../../http/cursor.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { idParams } from '../../http/storable.ts'
import { TaskSubject } from '../../pages/console/task-subject.tsx'
import { renderTasks } from '../../pages/console/tasks.tsx'
import { taskPosition } from '../operator/operator-tasks.ts'
import { createTaskActs, type TaskActName } from '../operator/task-acts.ts'
import { actRoutes, frameOf, headersOf } from './console-route.ts'

const shown = 50
/** An empty field of the form limits nothing. */
const query = z.strictObject({
  kind: z.string().max(80).default(''),
  urgency: z.enum(['', ...urgencies]).default(''),
  owner: z.enum(['', 'me', 'nobody']).default(''),
  cursor: z.string().max(500).optional(),
})

const taskActs: readonly { name: TaskActName; label: string; does: string; permission?: OperatorPermission }[] = [
  { name: 'take', label: 'Take', does: 'The task is yours, also if it is another operator’s now.' },
  { name: 'note', label: 'Note', does: 'The note is shown with the task, and replaces the one before.' },
  { name: 'settle', label: 'Settle', does: 'The task is closed. The reason is kept with it as its note.' },
  {
    name: 'complete',
    label: 'Done by hand',
    does: 'The receipt of the deletion says that this step is done, and is completed once no other step is open. For a step that was left to operators, once you have done it by hand; say how.',
    permission: 'privacy',
  },
  {
    name: 'try-again',
    label: 'Try again',
    does: 'The deletion tries this step again. For a step that was left to operators, once its cause is removed.',
    permission: 'privacy',
  },
]

/** What another operator may change while a form is open; empty for a form that does not say what it has shown. */
const formFields = z.strictObject({ seen: z.string().max(120).default('') })
const stateOf = ({ owner, notedAt }: OperatorTask): string =>
  `${notedAt?.toISOString() ?? 'never'} ${owner ?? 'nobody'}`

/** A note that is replaced, or a task that is taken over, unseen is lost to the other operator. */
function changeSince(task: OperatorTask, seen: string, me: string): { by: string; did: string } | undefined {
  if (seen === '' || task.closedAt || seen === stateOf(task)) return undefined
  const hasNote = task.notedAt && !seen.startsWith(task.notedAt.toISOString())
  if (hasNote && task.noteBy && task.noteBy !== me) return { by: task.noteBy, did: `noted “${task.note ?? ''}” on` }
  if (task.owner && task.owner !== me && !seen.endsWith(` ${task.owner}`)) return { by: task.owner, did: 'taken' }
  return undefined
}

export function consoleTaskRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const acts = createTaskActs(api)

  return [
    defineRoute({
      method: 'get',
      path: '/console/tasks',
      tag: 'console',
      summary: 'The open operator tasks, the most urgent first and of these the oldest',
      callers: ['console'],
      permission: 'look',
      reads: ['orders'],
      query,
      responses: { 200: html },
      async handle({ caller, query: { kind, urgency, owner, cursor }, header }) {
        const frame = frameOf(api, caller, header)
        const after = decodeCursor(cursor, taskPosition)
        const asOf = new Date()
        const filter: TaskFilter = {
          kind: kind || undefined,
          urgency: urgency || undefined,
          owner: owner === 'me' ? actorOf(caller) : owner === 'nobody' ? null : undefined,
        }
        const [found, count, kinds, operators] = await Promise.all([
          listOpenOperatorTasks(sql, { limit: shown + 1, after, asOf, filter }),
          countOpenOperatorTasks(sql, { filter, asOf }),
          countOpenTasksByKind(sql),
          operatorNames(sql),
        ])
        const { rows, nextCursor } = cutPage(found, shown, positionOf)
        const owners = await ownersOfTasks(sql, rows)
        const next = nextCursor && `/console/tasks?${new URLSearchParams({ kind, urgency, owner, cursor: nextCursor })}`
        const endsSteps = isPermitted(caller.role, 'privacy')
        const tasks = {
          asOf,
          filter,
          isMine: owner === 'me',
          count,
          items: rows,
          owners,
          next,
          kinds,
          operators,
          endsSteps,
        }
        return {
          status: 200,
          headers: headersOf(api, frame),
          about: accountsOf(owners),
          raw: renderTasks(frame, tasks),
        }
      },
    }),
    ...taskActs.flatMap(({ name, label, does, permission = 'tasks' }) =>
      actRoutes(api, {
        path: `/console/attention/{id}/${name}`,
        does,
        permission,
        reads: ['orders'],
        params: idParams,
        fields: formFields,
        asksFields: true,
        find: async ({ id }, caller) => {
          const known = await acts.known(id)
          return { ...known, me: actorOf(caller), names: await operatorNames(sql) }
        },
        aboutOf: ({ about }) => about,
        reasonOf: ({ task }) => (name === 'note' ? (task.note ?? '') : ''),
        pageOf: ({ task, owner }) => ({
          about: { path: '/console/tasks', name: 'Tasks' },
          action: `/console/attention/${task.id}/${name}`,
          label,
          does,
          danger: false,
          subject: TaskSubject({ task, owner }),
          hidden: { seen: stateOf(task) },
        }),
        faultsOf: ({ task, me, names }, { seen }) => {
          const change = changeSince(task, seen, me)
          if (change === undefined) return []
          const whom = names.get(change.by) ?? change.by
          const reason = `${whom} has ${change.did} it since this form was opened, and it is shown as it is now. If your act still holds, send it again.`
          return [{ field: 'Task', reason }]
        },
        entryOf: ({ entryOf }, { reason }) => entryOf(name, reason),
        perform: ({ task }, { caller, reason }) => acts.perform(name, task.id, actorOf(caller), reason),
        doneAt: () => '/console/tasks',
      }),
    ),
  ]
}
