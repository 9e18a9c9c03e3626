/**
 * Acts of an operator on a task, for the console and the JSON routes: each with an entry that says who acted and why.
 */
import type { ApiContext } from '../../../context.ts'
import { doneByHand, openStepAgain } from '../../../db/erasure/finishing.ts'
import { stepOfTask } from '../../../db/erasure/step-tasks.ts'
import type { NewOperatorAct } from '../../../db/operator/operator-acts.ts'
import { ownersOfTasks, type TaskOwner } from '../../../db/operator/task-owners.ts'
import {
  closeOperatorTask,
  findOperatorTask,
  noteOperatorTask,
  type OperatorTask,
  takeOperatorTask,
} from '../../../db/operator-tasks.ts'
import { orNotFound, Problem } from '../../http/problem.ts'
import { createDeletionClient } from '../../runs/deletion-client.ts'

/** `complete` and `try-again` are for the steps of a deletion that were left to operators. */
const taskActNames = ['take', 'note', 'settle', 'complete', 'try-again'] as const
export type TaskActName = (typeof taskActNames)[number]

type Entry = Pick<NewOperatorAct, 'accountId' | 'orderId' | 'act' | 'subject' | 'reason'>

export interface KnownTask {
  task: OperatorTask
  /** undefined: it is about nobody */
  owner: TaskOwner | undefined
  /** the account that it is about, for the access log */
  about: readonly string[]
  entryOf(name: TaskActName, reason: string | null): Entry
}

export function createTaskActs(api: ApiContext) {
  const { sql } = api
  const deletions = createDeletionClient(api)

  /** @throws Problem not_found */
  async function known(id: string): Promise<KnownTask> {
    const task = orNotFound(await findOperatorTask(sql, id, new Date()))
    const owner = (await ownersOfTasks(sql, [task])).get(id)
    return {
      task,
      owner,
      about: owner?.accountId ? [owner.accountId] : [],
      entryOf: (name, reason) => ({
        accountId: owner?.accountId ?? null,
        orderId: owner?.orderId ?? null,
        act: `${name}-task`,
        subject: task.kind,
        reason,
      }),
    }
  }

  const does: Record<TaskActName, (id: string, by: string, words: string | undefined) => Promise<boolean>> = {
    take: (id, by) => takeOperatorTask(sql, { id, by, at: new Date() }),
    note: (id, by, note = '') => noteOperatorTask(sql, { id, by, at: new Date(), note }),
    async settle(id, by, note) {
      if (await closeOperatorTask(sql, { id, by, at: new Date(), note })) return true
      // The same request has closed it before.
      const task = await findOperatorTask(sql, id, new Date())
      return task?.closedBy === by && task.note === (note ?? task.note)
    },
    async complete(id, by, note = '') {
      const step = await stepOf(id)
      return step !== undefined && doneByHand(api, step, { taskId: id, by, note, at: new Date() })
    },
    async 'try-again'(id) {
      const step = await stepOf(id)
      const deletion = step && (await openStepAgain(sql, step, new Date()))
      if (deletion) await deletions.tryAgain(deletion, step.processor)
      return deletion !== undefined
    },
  }

  async function stepOf(id: string) {
    const task = await findOperatorTask(sql, id, new Date())
    return task && stepOfTask(task)
  }

  return {
    known,
    /**
     * @param words the note, where the act has one
     * @throws Problem not_found when the task is not open, or has no step that this can be done to
     */
    async perform(name: TaskActName, id: string, by: string, words?: string): Promise<void> {
      if (!(await does[name](id, by, words))) throw new Problem('not_found')
    },
  }
}
