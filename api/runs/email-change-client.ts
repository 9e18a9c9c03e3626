/** Starts, confirms and cancels changes of e-mail address by their runs, for the JSON routes and the pages. */
import { randomUUID } from 'node:crypto'
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../../context.ts'
import { accountExists, findAccount, normalEmail } from '../../db/accounts.ts'
import { peekLinkToken, spendLinkToken } from '../../db/crypto/link-tokens.ts'
import {
  type EmailChange,
  endOpenEmailChange,
  findEmailChange,
  insertEmailChange,
  latestEmailChange,
} from '../../db/email-changes.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { sendUpdate } from '../../temporal/runs.ts'
import {
  cancelEmailChange,
  confirmEmail,
  type EmailChangeState,
  type EmailSide,
  emailChangeStart,
  emailChangeWorkflowId,
  opened,
  waiveOldEmail,
} from '../../workflows/email-change.contract.ts'
import { spend } from '../http/allowance.ts'
import { orNotFound, Problem } from '../http/problem.ts'
import { callRun, startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'email_change_state_conflict', detail: 'The change of address is over.' } as const
/** Each change sends a mail to a new address, which may belong to another person. */
const mostPerDay = 5

export function createEmailChangeClient(api: ApiContext) {
  const { sql, temporal, config, cipher } = api

  async function update<Argument>(
    changeId: string,
    definition: UpdateDefinition<EmailChangeState, [Argument]>,
    argument: Argument,
    updateId: string = randomUUID(),
  ): Promise<EmailChangeState> {
    return callRun(
      temporal,
      (deadline) =>
        sendUpdate(temporal, emailChangeWorkflowId(changeId), definition, [argument], { deadline, updateId }),
      ended,
    )
  }

  /** The account's newest change of address. @throws Problem not_found when there is none */
  async function latest(accountId: string): Promise<EmailChange> {
    return orNotFound(await latestEmailChange(sql, api, accountId))
  }

  return {
    latest,

    /**
     * Mails a link to the old and the new address. An open change of the account is replaced. Whether the new address
     * has an account shows only once its owner has agreed: others must not learn it.
     * @throws Problem not_found, invalid_request, too_many_requests; request_in_progress when another change of the
     * account began at the same time; email_change_state_conflict when the address has just been changed
     */
    async request(accountId: string, newEmail: string): Promise<EmailChange> {
      const account = orNotFound(await findAccount(sql, api, accountId))
      if (normalEmail(newEmail) === normalEmail(account.email)) {
        throw new Problem('invalid_request', { errors: [{ field: 'email', reason: 'is the address you have' }] })
      }
      // By the address: people with many accounts must not flood it.
      await spend(api, 'email_change', { accountId, email: normalEmail(newEmail) })
      const draft = await store({ accountId, oldEmail: account.email, newEmail })
      await this.cancel(accountId, 'replaced')
      await start(accountId, draft)
      const change = await findEmailChange(sql, api, draft.id)
      if (change) return change
      // Another change took its place and its run had ended, or the account is erased.
      throw (await accountExists(sql, accountId)) ? inProgress() : new Problem('not_found')
    },

    /**
     * Cancels the account's open change of address, if there is one.
     * @throws Problem email_change_state_conflict when both addresses have agreed before
     */
    async cancel(accountId: string, status: 'cancelled' | 'replaced'): Promise<void> {
      const change = await latestEmailChange(sql, api, accountId)
      if (change?.state !== 'open') return
      // The row first: the run may be changing the address at this moment.
      if ((await endOpenEmailChange(sql, change.id, status)) === 'changed')
        throw new Problem(ended.code, { detail: 'The address has just been changed: both have agreed.' })
      try {
        await update(change.id, cancelEmailChange, { status })
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== ended.code) throw error
      }
    },

    /**
     * Waives the old address's consent, after an operator has identified the person by other means.
     * @param by the operator, as `actorOf` names it
     * @param given.change the change that the operator has looked at; default: the newest
     * @throws Problem not_found; email_change_state_conflict when the change is over, or another one was asked for
     * since
     */
    async waiveOld(
      accountId: string,
      by: string,
      given: { change?: string | undefined; updateId?: string | undefined } = {},
    ): Promise<EmailChange> {
      const change = await latest(accountId)
      if (given.change !== undefined && given.change !== change.id)
        throw new Problem(ended.code, { detail: 'Another change of address was asked for since.' })
      await update(change.id, waiveOldEmail, { by }, given.updateId)
      return latest(accountId)
    },

    /**
     * Confirms for the address to which the link was mailed. The link is spent last, so that it still works when the
     * person has to try again after an error.
     * @returns undefined for an unknown, spent or expired link
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

  async function store(change: { accountId: string; oldEmail: string; newEmail: string }): Promise<Draft> {
    const at = new Date()
    const draft = { id: randomUUID(), expiresAt: plusMs(at, periods.emailChangeMs) }
    const limit = { most: mostPerDay, since: plusMs(at, -milliseconds.day) }
    const outcome = await insertEmailChange(sql, api, { ...change, ...draft, at }, limit)
    if (outcome === 'missing') throw new Problem('not_found')
    if (outcome === 'too_many') {
      throw new Problem('too_many_requests', { headers: { 'Retry-After': String(milliseconds.day / 1000) } })
    }
    return draft
  }

  /**
   * The row is a draft until its run has made it current. A sweep deletes drafts without a run: their person saw an
   * error and may have asked again.
   */
  async function start(accountId: string, { id, expiresAt }: Draft): Promise<void> {
    const run = emailChangeStart(
      { id, expiresAt, accountRef: cipher.accountRef(accountId) },
      config.TEMPORAL_TASK_QUEUE,
    )
    const state = await startAndUpdate(temporal, opened, run, ended)
    if (state?.status === 'replaced') throw inProgress()
  }
}

const inProgress = (): Problem => new Problem('request_in_progress', { headers: { 'Retry-After': '1' } })

interface Draft {
  id: string
  expiresAt: Date
}
