/**
 * Acts of an operator on a task, for the console and the JSON routes: each with an entry that says who acted and why.
 */
import type { ApiContext } from '../../../context.ts'
import { findStep } from '../../../db/erasure/deletions.ts'
import { doneByHand, openStepAgain, type StepConflict } from '../../../db/erasure/finishing.ts'
import { type StepOfReceipt, stepOfTask } from '../../../db/erasure/step-tasks.ts'
import type { NewOperatorAct } from '../../../db/operator/operator-acts.ts'
import { operatorNames } from '../../../db/operator/operator-names.ts'
import { ownersOfTasks, type TaskOwner } from '../../../db/operator/task-owners.ts'
import {
  closeOperatorTask,
  findOperatorTask,
  noteOperatorTask,
  type OperatorTask,
  takeOperatorTask,
} from '../../../db/operator-tasks.ts'
import { moment } from '../../../mails/format.ts'
import { orNotFound, Problem } from '../../http/problem.ts'
import { createDeletionClient } from '../../runs/deletion-client.ts'
import { plain } from '../../views/plain.ts'

/** `complete` and `try-again` are for the steps of a deletion that were left to operators. */
const taskActNames = ['take', 'note', 'settle', 'complete', 'try-again'] as const
export type TaskActName = (typeof taskActNames)[number]

const whyNot: Record<StepConflict, string> = {
  finds_by_itself: 'The deletion looks for it by itself, and closes the task when it is done.',
  not_left: 'The step waits for no operator: it is done, or is being tried.',
  nothing_sealed: 'What the step needs is no longer sealed: it can only be done by hand.',
}

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
        // Which deletion it was: no account is left that would say so.
        subject: stepOfTask(task) ? `${task.kind}:${task.subjectId}` : task.kind,
        reason,
      }),
    }
  }

  const does: Record<TaskActName, (id: string, by: string, words: string | undefined) => Promise<boolean>> = {
    take: (id, by) => takeOperatorTask(sql, { id, by, at: new Date() }),
    note: (id, by, note = '') => noteOperatorTask(sql, { id, by, at: new Date(), note }),
    async settle(id, by, note) {
      await assertLeavesNoStepOpen(id)
      if (await closeOperatorTask(sql, { id, by, at: new Date(), note })) return true
      // The same request has closed it before.
      const task = await findOperatorTask(sql, id, new Date())
      return task?.closedBy === by && task.note === (note ?? task.note)
    },
    async complete(id, by, note = '') {
      const step = await stepOf(id)
      const refusal = await doneByHand(api, step, { taskId: id, by, note, at: new Date() })
      if (refusal) throw new Problem('erasure_step_conflict', { detail: whyNot[refusal] })
      if (step.processor === 'database') await lookAtRuns(step.receiptId)
      return true
    },
    async 'try-again'(id) {
      const step = await stepOf(id)
      const deletion = await openStepAgain(sql, step, new Date())
      if (typeof deletion === 'string') throw new Problem('erasure_step_conflict', { detail: whyNot[deletion] })
      await deletions.tryAgain(deletion, step.processor)
      return true
    },
  }

  /** The verification that failed would have looked at the person's runs at its end. */
  async function lookAtRuns(receiptId: string): Promise<void> {
    const step = { receiptId, processor: 'temporal' } as const
    if ((await findStep(sql, receiptId, step.processor))?.state !== 'pending') return
    const deletion = await openStepAgain(sql, step, new Date())
    if (typeof deletion !== 'string') await deletions.tryAgain(deletion, step.processor)
  }

  async function stepOf(id: string): Promise<StepOfReceipt> {
    const step = stepOfTask(orNotFound(await findOperatorTask(sql, id, new Date())))
    if (!step) throw new Problem('erasure_step_conflict', { detail: 'The task is about no step of a deletion.' })
    return step
  }

  /** Closing the task of a step that only an operator ends would leave its deletion open for ever. */
  async function assertLeavesNoStepOpen(id: string): Promise<void> {
    const task = await findOperatorTask(sql, id, new Date())
    const step = task && !task.closedAt && stepOfTask(task)
    if (!step || (await findStep(sql, step.receiptId, step.processor))?.state !== 'needs_operator') return
    throw new Problem('erasure_step_conflict', {
      detail:
        'Settling the task would leave the deletion open: let the step be tried again, or say that it was done by hand.',
    })
  }

  return {
    known,
    /**
     * @param words the note, where the act has one
     * @throws Problem not_found when the task is not open; erasure_step_conflict when its step is in another state
     */
    async perform(name: TaskActName, id: string, by: string, words?: string): Promise<void> {
      if (await does[name](id, by, words)) return
      const { closedAt, closedBy, note } = orNotFound(await findOperatorTask(sql, id, new Date()))
      if (!closedAt || !closedBy) throw new Problem('not_found')
      const whom = (await operatorNames(sql)).get(closedBy) ?? plain(closedBy)
      const why = note === null ? '' : ` “${note}”`
      const detail = `The task is not open any more: ${whom} has closed it on ${moment(closedAt)}.${why}`
      throw new Problem('not_found', { detail })
    },
  }
}
