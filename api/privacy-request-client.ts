/** What the API asks of privacy requests: one way in for the JSON routes and the console. */
import type { ApiContext } from '../context.ts'
import { findAccountByEmail } from '../db/accounts.ts'
import {
  findPrivacyRequest,
  insertPrivacyRequest,
  type PrivacyRequestKind,
  type PrivacyRequestRow,
  storeAnswer,
} from '../db/privacy-requests.ts'
import {
  type AnswerKind,
  answerByOf,
  type ExtensionReason,
  extend,
  type PrivacyRequestInput,
  privacyRequestType,
  privacyRequestWorkflowId,
  resolve,
} from '../workflows/privacy-request.contract.ts'
import { startingAttributes } from '../workflows/search-attributes.ts'
import { Problem } from './problem.ts'
import { answerWithinMs, asProblem } from './workflow-problems.ts'

const ended = { code: 'privacy_request_state_conflict', detail: 'The request has ended.' } as const

export type PrivacyRequestClient = ReturnType<typeof createPrivacyRequestClient>

export function createPrivacyRequestClient(api: ApiContext) {
  const { sql, temporal, config, cipher } = api
  const handleOf = (id: string) => temporal.workflow.getHandle(privacyRequestWorkflowId(id))

  return {
    /**
     * Opens a request, or finds it by its id. The run is started within the transaction, so that neither can be without
     * the other: a run whose row is rolled back sees that it is not there and ends.
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
      const { id, receivedAt, replyTo } = wanted
      const before = await findPrivacyRequest(sql, id)
      if (before) return before
      const accountId =
        wanted.accountId ?? (replyTo === null ? null : ((await findAccountByEmail(sql, api, replyTo)) ?? null))
      const answerBy = answerByOf(receivedAt)
      const input: PrivacyRequestInput = { requestId: id, receivedAt: receivedAt.toISOString() }
      await sql.begin(async (tx) => {
        if (!(await insertPrivacyRequest(tx, api, { ...wanted, accountId, answerBy }))) {
          throw new Problem('account_missing')
        }
        await temporal.withDeadline(Date.now() + answerWithinMs, () =>
          temporal.workflow.start(privacyRequestType, {
            workflowId: privacyRequestWorkflowId(id),
            taskQueue: config.TEMPORAL_TASK_QUEUE,
            args: [input],
            workflowIdConflictPolicy: 'USE_EXISTING',
            typedSearchAttributes: startingAttributes(
              { status: 'open', waitingFor: 'an operator to answer', dueAt: answerBy },
              accountId === null ? undefined : cipher.accountRef(accountId),
            ),
            staticSummary: `Privacy request: ${wanted.kind}`,
          }),
        )
      })
      return found(id)
    },

    /** @param answer.text what is mailed; null when it was given elsewhere */
    async resolve(id: string, answer: { kind: AnswerKind; text: string | null }, updateId: string): Promise<void> {
      await sql.begin(async (tx) => {
        if (!(await storeAnswer(tx, api, { id, ...answer }))) await refuse(id)
        await update(() =>
          handleOf(id).executeUpdate(resolve, {
            args: [{ answerKind: answer.kind, byMail: answer.text !== null }],
            updateId,
          }),
        )
      })
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
    throw new Problem('privacy_request_state_conflict', { detail: `Reason: ${state}` })
  }

  async function update(call: () => Promise<unknown>): Promise<void> {
    await asProblem(() => temporal.withDeadline(Date.now() + answerWithinMs, call), ended)
  }
}
