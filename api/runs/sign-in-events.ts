/** What becomes of an account when Apple or Google say something about its owner. */
import { randomUUID } from 'node:crypto'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import type { ApiContext } from '../../context.ts'
import { findAccount, markMailBounced, markMailDelivered } from '../../db/accounts.ts'
import { setPromotions } from '../../db/consents.ts'
import { findAccountLinkedBy, findAccountOfIdentity } from '../../db/identities.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import { endSessions } from '../../db/web-sessions.ts'
import type { AppleNotification } from '../../providers/apple.ts'
import type { GoogleSecurityEvent } from '../../providers/google.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import {
  type SignInEndedInput,
  signInEndedType,
  signInEndedWorkflowId,
} from '../../workflows/sign-in-ended.contract.ts'
import { createDeletionClient } from './deletion-client.ts'
import type { Handled } from './webhook-inbox.ts'

const relayDomain = '@privaterelay.appleid.com'
const disabledAtGoogle = 'sign_in_account_disabled'
/** Somebody else may have had the account, and with it the mailbox to which our links go. */
const endingSessions = new Set(['sessions-revoked', 'tokens-revoked', 'token-revoked', 'account-disabled'])

export function createSignInEvents(api: ApiContext) {
  const { sql, temporal, config, cipher } = api
  const deletions = createDeletionClient(api)

  // Repeatable, as whatever a webhook asks for: what is done is done again without harm, and it is noted last, so that
  // attempts which fail leave no row in the security log. A crash between note and record costs a second row.
  return {
    async fromApple({ type, subject, eventId, at }: AppleNotification): Promise<Handled> {
      const accountId = await findAccountLinkedBy(sql, api, { provider: 'apple', subject, until: at })
      // Deleted here before, or linked anew after Apple's news were made.
      if (!accountId) return 'nothing_to_do'
      if (type === 'account-deleted') {
        // First, for the erasure takes this row along; afterwards nobody would be left whom it is about.
        await record('apple', accountId, type)
        await deletions.startDeletion(accountId, 'sign_in_account_deleted')
        return 'handled'
      }
      if (type === 'consent-revoked') await unlink(accountId, eventId, at)
      else if (await usesRelay(accountId)) await setMailable(accountId, type === 'email-enabled')
      await record('apple', accountId, type)
      return 'handled'
    },

    async fromGoogle({ types, subjects, reason }: GoogleSecurityEvent): Promise<Handled> {
      const found = await Promise.all(subjects.map((subject) => findAccountOfIdentity(sql, api, 'google', subject)))
      const accountIds = found.filter((accountId) => accountId !== undefined)
      for (const accountId of accountIds) for (const type of types) await googleSays(type, accountId, reason)
      for (const accountId of accountIds)
        for (const type of types) await record('google', accountId, reason ? `${type}:${reason}` : type)
      return accountIds.length > 0 ? 'handled' : 'nothing_to_do'
    },
  }

  /** The app's sessions are Firebase's; those of the web pages end here. What is recorded serves U5. */
  async function googleSays(type: string, accountId: string, reason: GoogleSecurityEvent['reason']): Promise<void> {
    const at = new Date()
    const task = { kind: disabledAtGoogle, subjectId: accountId, at }
    if (endingSessions.has(type)) await endSessions(sql, accountId)
    if (type === 'account-disabled') {
      await raiseOperatorTask(sql, { ...task, detail: reason })
      // Whoever reads that mailbox now is not the one who agreed.
      await setPromotions(sql, { accountId, granted: false, source: 'sign_in_provider', at })
    }
    if (type === 'account-enabled') await resolveOperatorTask(sql, { ...task, by: 'google' })
  }

  async function unlink(accountId: string, eventId: string, endedAt: Date): Promise<void> {
    const input: SignInEndedInput = { accountId, noticeId: randomUUID(), endedAt: endedAt.toISOString() }
    try {
      await temporal.workflow.start(signInEndedType, {
        workflowId: signInEndedWorkflowId(eventId),
        taskQueue: config.TEMPORAL_TASK_QUEUE,
        args: [input],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        typedSearchAttributes: initialSearchAttributes(
          { status: 'unlinking', waitingFor: 'the mail to its owner', dueAt: null },
          cipher.accountRef(accountId),
        ),
        staticSummary: 'A sign-in that its owner ended',
      })
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    }
  }

  async function usesRelay(accountId: string): Promise<boolean> {
    const account = await findAccount(sql, api, accountId)
    return account?.email.toLowerCase().endsWith(relayDomain) ?? false
  }

  async function setMailable(accountId: string, mailable: boolean): Promise<void> {
    await (mailable ? markMailDelivered : markMailBounced)(sql, accountId)
  }

  async function record(actor: 'apple' | 'google', accountId: string, detail: string): Promise<void> {
    await recordSecurityEvent(sql, api, { kind: 'sign_in_provider_event', actor, accountId, detail, at: new Date() })
  }
}
