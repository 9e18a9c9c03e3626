/** Operator tasks on the console. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { operatorNames } from '../../../db/operator/operator-names.ts'
import {
  closeOperatorTask,
  countOpenOperatorTasks,
  countOpenTasksByKind,
  listOpenOperatorTasks,
  noteOperatorTask,
  positionOf,
  type TaskFilter,
  takeOperatorTask,
} from '../../../db/operator-tasks.ts'
import { urgencies } from '../../../policy/operator-tasks.ts'
import { actorOf } from '../../http/caller.ts'
import { cutPage, decodeCursor } from '../../http/cursor.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import { renderTasks } from '../../pages/console/tasks.tsx'
import { taskNote, taskPosition } from '../operator/operator-tasks.ts'
import { done, frameOf, goTo, headers, page } from './console-route.ts'

const nothing = z.strictObject({})
const shown = 50
/** An empty field of the form limits nothing. */
const query = z.strictObject({
  kind: z.string().max(80).default(''),
  urgency: z.enum(['', ...urgencies]).default(''),
  owner: z.enum(['', 'me', 'nobody']).default(''),
  cursor: z.string().max(500).optional(),
})

export function consoleTaskRoutes(api: ApiContext): Route[] {
  const { sql } = api

  const onTask = <Body extends z.ZodType>(
    name: string,
    summary: string,
    body: Body,
    act: (id: string, body: z.output<Body>, by: string) => Promise<boolean>,
  ): Route =>
    defineRoute({
      method: 'post',
      path: `/console/attention/{id}/${name}`,
      tag: 'console',
      summary,
      callers: ['console'],
      permission: 'orders',
      form: true,
      params: z.strictObject({ id: sentId }),
      body,
      responses: done,
      problems: ['not_found'],
      async handle({ params: { id }, body, caller }) {
        if (!(await act(id, body as z.output<Body>, actorOf(caller)))) throw new Problem('not_found')
        return goTo('/console')
      },
    })

  return [
    defineRoute({
      method: 'get',
      path: '/console/tasks',
      tag: 'console',
      summary: 'The open operator tasks, the most urgent first and of these the oldest',
      callers: ['console'],
      permission: 'look',
      query,
      responses: { 200: page },
      async handle({ caller, query: { kind, urgency, owner, cursor } }) {
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
        const next = nextCursor && `/console/tasks?${new URLSearchParams({ kind, urgency, owner, cursor: nextCursor })}`
        const tasks = { asOf, filter, isMine: owner === 'me', count, items: rows, next, kinds, operators }
        return { status: 200, headers, raw: renderTasks(frameOf(api, caller), tasks) }
      },
    }),
    onTask('take', 'Takes an operator task', nothing, (id, _body, by) =>
      takeOperatorTask(sql, { id, by, at: new Date() }),
    ),
    onTask('note', 'Notes what is known of an operator task', z.strictObject({ note: taskNote }), (id, { note }, by) =>
      noteOperatorTask(sql, { id, by, at: new Date(), note }),
    ),
    onTask('settle', 'Settles an operator task', nothing, (id, _body, by) =>
      closeOperatorTask(sql, { id, by, at: new Date() }),
    ),
  ]
}
