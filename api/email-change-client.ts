/** What the API asks of changes of address: one way in for the JSON routes and the pages. */
import { randomUUID } from 'node:crypto'
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../context.ts'
import { findAccount, findAccountByEmail, normalEmail } from '../db/accounts.ts'
import { violatedConstraint } from '../db/constraint.ts'
import { countEmailChanges, type EmailChange, insertEmailChange, latestEmailChange } from '../db/email-changes.ts'
import { peekLinkToken, spendLinkToken } from '../db/link-tokens.ts'
import { milliseconds, terms } from '../policy/terms.ts'
import { plusMs } from '../workflows/clock.ts'
import {
  cancelEmailChange,
  confirmEmail,
  type EmailChangeInput,
  type EmailChangeState,
  type EmailSide,
  emailChangeType,
  emailChangeWorkflowId,
  waiveOldEmail,
} from '../workflows/email-change.contract.ts'
import { startingAttributes } from '../workflows/search-attributes.ts'
import { Problem } from './problem.ts'
import { answerWithinMs, asProblem } from './workflow-problems.ts'

const ended = { code: 'email_change_state_conflict', detail: 'The change of address is over.' } as const
/** Each of them writes to an address that may be somebody else's. */
const mostPerDay = 5

export type EmailChangeClient = ReturnType<typeof createEmailChangeClient>

export function createEmailChangeClient(api: ApiContext) {
  const { sql, temporal, config, cipher } = api

  async function update<Argument>(
    changeId: string,
    definition: UpdateDefinition<EmailChangeState, [Argument]>,
    argument: Argument,
  ): Promise<EmailChangeState> {
    const handle = temporal.workflow.getHandle(emailChangeWorkflowId(changeId))
    return asProblem(
      () =>
        temporal.withDeadline(Date.now() + answerWithinMs, () =>
          handle.executeUpdate(definition, { args: [argument], updateId: randomUUID() }),
        ),
      ended,
    )
  }

  /** @throws Problem not_found when there is none */
  async function latest(accountId: string): Promise<EmailChange> {
    const change = await latestEmailChange(sql, api, accountId)
    if (!change) throw new Problem('not_found')
    return change
  }

  return {
    latest,

    /**
     * Asks both addresses. One that was asked before is asked no more.
     * @throws Problem not_found, email_taken, invalid_request, too_many_requests
     */
    async request(accountId: string, newEmail: string): Promise<EmailChange> {
      const account = await findAccount(sql, api, accountId)
      if (!account) throw new Problem('not_found')
      if (normalEmail(newEmail) === normalEmail(account.email)) {
        throw new Problem('invalid_request', { errors: [{ field: 'email', reason: 'is the address you have' }] })
      }
      if (await findAccountByEmail(sql, api, newEmail)) throw new Problem('email_taken')
      const at = new Date()
      if ((await countEmailChanges(sql, accountId, plusMs(at, -milliseconds.day))) >= mostPerDay) {
        throw new Problem('too_many_requests', { headers: { 'Retry-After': String(milliseconds.day / 1000) } })
      }
      await this.cancel(accountId, 'replaced')
      await start({ accountId, oldEmail: account.email, newEmail, at })
      return latest(accountId)
    },

    /** Nothing to cancel is fine. */
    async cancel(accountId: string, status: 'cancelled' | 'replaced'): Promise<void> {
      const change = await latestEmailChange(sql, api, accountId)
      if (change?.state !== 'open') return
      try {
        await update(change.id, cancelEmailChange, { status })
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== ended.code) throw error
      }
      // The run ends it a moment later; the next one may begin now.
      await sql`update email_changes set state = ${status} where id = ${change.id} and state = 'open'`
    },

    /** An operator has found out by other means that it is the person who asks. */
    async waiveOld(accountId: string, by: string): Promise<EmailChange> {
      const change = await latest(accountId)
      await update(change.id, waiveOldEmail, { by })
      return latest(accountId)
    },

    /**
     * Agrees for one side, and uses the mailed link up: afterwards, so that whoever is told to try again can.
     * @returns undefined for a link that does not work
     */
    async confirm(secret: string): Promise<EmailChangeState | undefined> {
      const link = await peekLinkToken(sql, secret, ['email_change_old', 'email_change_new'], new Date())
      if (!link?.subjectId) return undefined
      const side: EmailSide = link.purpose === 'email_change_old' ? 'old' : 'new'
      const state = await update(link.subjectId, confirmEmail, { side })
      await spendLinkToken(sql, secret, link.purpose, new Date())
      return state
    },
  }

  /** Neither the row nor the run can be without the other. */
  async function start(change: { accountId: string; oldEmail: string; newEmail: string; at: Date }): Promise<void> {
    const id = randomUUID()
    const expiresAt = plusMs(change.at, terms.emailChangeMs)
    const input: EmailChangeInput = { changeId: id, expiresAt: expiresAt.toISOString() }
    try {
      await sql.begin(async (tx) => {
        if (!(await insertEmailChange(tx, api, { ...change, id, expiresAt }))) throw new Problem('not_found')
        await temporal.withDeadline(Date.now() + answerWithinMs, () =>
          temporal.workflow.start(emailChangeType, {
            workflowId: emailChangeWorkflowId(id),
            taskQueue: config.TEMPORAL_TASK_QUEUE,
            args: [input],
            typedSearchAttributes: startingAttributes(
              { status: 'open', waitingFor: 'the old and the new address to agree', dueAt: expiresAt },
              cipher.accountRef(change.accountId),
            ),
            staticSummary: 'Change of address',
          }),
        )
      })
    } catch (error) {
      if (violatedConstraint(error) !== 'email_changes_open') throw error
      throw new Problem('request_in_progress', { headers: { 'Retry-After': '1' } })
    }
  }
}
