/** What the API asks of privacy requests: one way in for the JSON routes and the console. */
import type { ApiContext } from '../../context.ts'
import { findAccountByEmail } from '../../db/accounts.ts'
import {
  dropAnswer,
  findPrivacyRequest,
  insertPrivacyRequest,
  type PrivacyRequestKind,
  type PrivacyRequestRow,
  storeAnswer,
} from '../../db/privacy-requests.ts'
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
import { Problem } from '../http/problem.ts'
import { callRun, startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'privacy_request_state_conflict', detail: 'The request has ended.' } as const

export type PrivacyRequestClient = ReturnType<typeof createPrivacyRequestClient>

export function createPrivacyRequestClient(api: ApiContext) {
  const { sql, temporal, config, cipher } = api
  const handleOf = (id: string) => temporal.workflow.getHandle(privacyRequestWorkflowId(id))

  return {
    /**
     * Opens a request, or finds it by its id. The row is a draft until its run has begun and made it current; a sweep
     * starts the run of a draft that is left behind.
     * @param wanted.id made by us, never by the person
     * @param wanted.accountId null for a stranger; a stranger with an account's address is that account's owner
     * @throws Problem account_missing
     */
    async open(wanted: {
      id: string
      accountId: string | null
      kind: PrivacyRequestKind
      message: string
      replyTo: string | null
      receivedAt: Date
    }): Promise<PrivacyRequestRow> {
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
      // Erased meanwhile.
      if (!row) throw new Problem('account_missing')
      return row
    },

    /**
     * Stores the answer, then has the run take it: of several at once the first is taken, the others are refused.
     * @param answer.text what is mailed; null when it was given elsewhere
     * @param answerId the same for a repeated call, which gets the first one's answer
     * @throws Problem not_found, privacy_request_state_conflict
     */
    async resolve(id: string, answer: { kind: AnswerKind; text: string | null }, answerId: string): Promise<void> {
      if (!(await storeAnswer(sql, api, { requestId: id, answerId, ...answer, at: new Date() }))) await refuse(id)
      const taken = { answerKind: answer.kind, byMail: answer.text !== null, answerId }
      try {
        await update(() => handleOf(id).executeUpdate(resolve, { args: [taken], updateId: answerId }))
      } catch (error) {
        // A call whose outcome is unknown may be taken yet.
        if (error instanceof Problem && error.code === ended.code) await dropAnswer(sql, id, answerId)
        throw error
      }
    },

    async extend(id: string, reason: ExtensionReason, updateId: string): Promise<void> {
      await found(id)
      await update(() => handleOf(id).executeUpdate(extend, { args: [{ reason }], updateId }))
    },
  }

  async function found(id: string): Promise<PrivacyRequestRow> {
    const row = await findPrivacyRequest(sql, id)
    if (!row) throw new Problem('not_found')
    return row
  }

  async function refuse(id: string): Promise<never> {
    const { state } = await found(id)
    const reason = state === 'open' ? 'another answer is on its way' : state
    throw new Problem('privacy_request_state_conflict', { detail: `Reason: ${reason}` })
  }

  async function update(call: () => Promise<unknown>): Promise<void> {
    await callRun(temporal, call, ended)
  }
}
