/** Opens, answers and extends privacy requests by their runs, for the JSON routes and the console. */
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../../context.ts'
import { findAccountByEmail } from '../../db/accounts.ts'
import {
  deleteAnswer,
  findPrivacyRequest,
  insertPrivacyRequest,
  type NewPrivacyRequest,
  type PrivacyRequestRow,
  storeAnswer,
} from '../../db/privacy-requests.ts'
import { sendUpdate } from '../../temporal/runs.ts'
import {
  type AnswerKind,
  answerByOf,
  type ExtensionReason,
  extend,
  opened,
  privacyRequestStart,
  privacyRequestWorkflowId,
  resolve,
} from '../../workflows/privacy-request.contract.ts'
import { orNotFound, Problem } from '../http/problem.ts'
import { callRun, startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'privacy_request_state_conflict', detail: 'The request has ended.' } as const

export function createPrivacyRequestClient(api: ApiContext) {
  const { sql, temporal, config, cipher } = api

  return {
    /**
     * Opens a request, or finds it by its id. The row is a draft until its run has made it current; a sweep starts the
     * runs of drafts that have none.
     * @param wanted.id made here, never by the caller
     * @param wanted.accountId null for a request without a sign-in; such a request belongs to the account that has the
     *   address `replyTo`, if there is one
     * @throws Problem account_missing
     */
    async open(wanted: Omit<NewPrivacyRequest, 'answerBy'>): Promise<PrivacyRequestRow> {
      const { id, kind, receivedAt, replyTo } = wanted
      const before = await findPrivacyRequest(sql, id)
      if (before) return before
      const accountId =
        wanted.accountId ?? (replyTo === null ? null : ((await findAccountByEmail(sql, api, replyTo)) ?? null))
      if (!(await insertPrivacyRequest(sql, api, { ...wanted, accountId, answerBy: answerByOf(receivedAt) }))) {
        throw new Problem('account_missing')
      }
      const accountRef = accountId === null ? undefined : cipher.accountRef(accountId)
      const start = privacyRequestStart({ id, kind, receivedAt, accountRef }, config.TEMPORAL_TASK_QUEUE)
      await startAndUpdate(temporal, opened, start, ended)
      const row = await findPrivacyRequest(sql, id)
      // The account was erased meanwhile, and the request with it.
      if (!row) throw new Problem('account_missing')
      return row
    },

    /**
     * Stores the answer, then updates the run. The first of several answers is accepted, the others are refused.
     * @param answer.text the text to mail; null when the answer was given by another way
     * @param answerId the same for a repeated request, which gets the answer of the first
     * @throws Problem not_found, privacy_request_state_conflict
     */
    async resolve(id: string, answer: { kind: AnswerKind; text: string | null }, answerId: string): Promise<void> {
      if (!(await storeAnswer(sql, api, { requestId: id, answerId, ...answer, at: new Date() }))) await refuse(id)
      const taken = { answerKind: answer.kind, byMail: answer.text !== null, answerId }
      try {
        await update(id, resolve, [taken], answerId)
      } catch (error) {
        // Only a definite refusal may delete the answer: an update with an unknown outcome may still be accepted.
        if (error instanceof Problem && error.code === ended.code) await deleteAnswer(sql, id, answerId)
        throw error
      }
    },

    /** Extends the time for the answer. @throws Problem not_found, privacy_request_state_conflict */
    async extend(id: string, reason: ExtensionReason, updateId: string): Promise<void> {
      await found(id)
      await update(id, extend, [{ reason }], updateId)
    },
  }

  async function found(id: string): Promise<PrivacyRequestRow> {
    return orNotFound(await findPrivacyRequest(sql, id))
  }

  async function refuse(id: string): Promise<never> {
    const { state } = await found(id)
    const reason = state === 'open' ? 'another answer is on its way' : state
    throw new Problem('privacy_request_state_conflict', { detail: `Reason: ${reason}` })
  }

  async function update<Args extends unknown[]>(
    id: string,
    definition: UpdateDefinition<unknown, Args>,
    args: Args,
    updateId: string,
  ): Promise<void> {
    const workflowId = privacyRequestWorkflowId(id)
    const ask = (deadline: number) => sendUpdate(temporal, workflowId, definition, args, { deadline, updateId })
    await callRun(temporal, ask, ended)
  }
}
