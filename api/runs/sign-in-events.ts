/** Handles the notifications in which Apple and Google report changes of a customer's account with them. */
import { randomUUID } from 'node:crypto'
import type { ApiContext } from '../../context.ts'
import { breachMailKind } from '../../db/access/breaches.ts'
import { findAccount, lockAccount, markMailBounced, markMailDelivered, normalEmail } from '../../db/accounts.ts'
import { findPromotions, setPromotions } from '../../db/consents.ts'
import { findAccountLinkedBy, findAccountOfIdentity, wasLinkedBy } from '../../db/identities.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { forgetDeadAddress } from '../../db/policy-deliveries.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import { forgetRefusals } from '../../db/sends.ts'
import { endAddressChanges, endSignIns, isNewestEvent } from '../../db/sign-in-events.ts'
import type { AppleNotification } from '../../providers/apple.ts'
import { googleEvents } from '../../providers/codes/google.ts'
import { lookUp } from '../../providers/codes/meaning.ts'
import type { GoogleSecurityEvent } from '../../providers/google.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import { startUnlessOpen } from '../../temporal/runs.ts'
import {
  type SignInEndedInput,
  signInEndedType,
  signInEndedWorkflowId,
} from '../../workflows/sign-in-ended.contract.ts'
import { createDeletionClient } from './deletion-client.ts'
import type { Handled } from './webhook-inbox.ts'

/**
 * Where Apple's relay has its addresses, for an event that does not name one. New ones are of the second domain, some of
 * iCloud's own: developer.apple.com/news, 15 June 2026.
 */
const relayDomains = ['@privaterelay.appleid.com', '@private.icloud.com']
const disabledAtGoogle = 'sign_in_account_disabled'

/** @param named the relay address as Apple says it */
function isRelay(email: string, named: string | undefined): boolean {
  const address = normalEmail(email)
  if (named !== undefined) return address === normalEmail(named)
  return relayDomains.some((domain) => address.endsWith(domain))
}

/** Handles what Apple and Google say about sign-ins: ended, deleted, disabled, or without mail. */
export function createSignInEvents(api: ApiContext) {
  const { sql, temporal, config, cipher } = api
  const deletions = createDeletionClient(api)

  // A webhook may come again, so each handler can be repeated. It writes to the security log last, so that attempts
  // which fail leave no row there; a crash between that row and the recording of the webhook leaves a second row.
  return {
    async fromApple({ type, subject, email, eventId, at }: AppleNotification): Promise<Handled> {
      const accountId =
        type === 'account-deleted'
          ? // The account that is linked by now may be a later one.
            await findAccountLinkedBy(sql, api, { provider: 'apple', subject, until: at })
          : await findAccountOfIdentity(sql, api, 'apple', subject)
      if (!accountId) return 'nothing_to_do'
      if (type === 'account-deleted') {
        // Recorded first: the erasure deletes this row with the account, and a later row would survive it.
        await record('apple', accountId, type)
        await deletions.startDeletion(accountId, 'sign_in_account_deleted')
        return 'handled'
      }
      if (type === 'consent-revoked') await unlink(accountId, eventId, at)
      else await setMailable(accountId, { mailable: type === 'email-enabled', relay: email, at })
      await record('apple', accountId, type)
      return 'handled'
    },

    async fromGoogle({ types, subjects, reason, at }: GoogleSecurityEvent): Promise<Handled> {
      const found = await Promise.all(subjects.map((subject) => findAccountOfIdentity(sql, api, 'google', subject)))
      const accountIds = found.filter((accountId) => accountId !== undefined)
      for (const accountId of accountIds)
        for (const type of types) await applyGoogleEvent(type, accountId, { reason, at })
      for (const accountId of accountIds)
        for (const type of types) await record('google', accountId, reason ? `${type}:${reason}` : type)
      return accountIds.length > 0 ? 'handled' : 'nothing_to_do'
    },
  }

  /** Ends the sign-ins from before the event. U5, abuse is detected: the events report misuse of sign-ins. */
  async function applyGoogleEvent(
    type: string,
    accountId: string,
    { reason, at }: { reason: GoogleSecurityEvent['reason']; at: Date },
  ): Promise<void> {
    await sql.begin(async (tx) => {
      const event = lookUp(googleEvents, type)
      if (event?.endsSignIns) await endSignIns(tx, accountId, at)
      if (event?.mailboxRead) await endAddressChanges(tx, accountId, at)
      if (type !== 'account-disabled' && type !== 'account-enabled') return
      // Whoever has linked it since could sign in with it again.
      if (!(await wasLinkedBy(tx, { accountId, provider: 'google', until: at }))) return
      if (!(await isNewestEvent(tx, { accountId, provider: 'google', topic: 'account', at }))) return
      const now = new Date()
      const task = { kind: disabledAtGoogle, subjectId: accountId, at: now }
      if (type === 'account-enabled') return resolveOperatorTask(tx, { ...task, by: 'google' })
      await raiseOperatorTask(tx, { ...task, detail: reason })
      // The mailbox may be in the hands of another person, who never agreed to promotions. A consent that was given
      // after the event stays.
      const consent = await findPromotions(tx, accountId)
      if (consent?.granted && consent.changedAt && consent.changedAt > at) return
      await setPromotions(tx, { accountId, granted: false, source: 'sign_in_provider', at: now })
    })
  }

  async function unlink(accountId: string, eventId: string, endedAt: Date): Promise<void> {
    const input: SignInEndedInput = { accountId, noticeId: randomUUID(), endedAt: endedAt.toISOString() }
    await startUnlessOpen(temporal, {
      type: signInEndedType,
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
  }

  /** What Apple says is about its relay: an account that has left it is locked by its change of address. */
  async function setMailable(
    accountId: string,
    { mailable, relay, at }: { mailable: boolean; relay: string | undefined; at: Date },
  ): Promise<void> {
    await sql.begin(async (tx) => {
      await lockAccount(tx, accountId)
      const account = await findAccount(tx, api, accountId)
      if (!account || !isRelay(account.email, relay)) return
      if (!(await isNewestEvent(tx, { accountId, provider: 'apple', topic: 'email', at }))) return
      if (mailable) {
        await markMailDelivered(tx, accountId)
        // What it has refused meanwhile comes once more.
        await forgetDeadAddress(tx, accountId)
        await forgetRefusals(tx, { accountId, kind: breachMailKind })
      } else await markMailBounced(tx, accountId, null)
    })
  }

  async function record(actor: 'apple' | 'google', accountId: string, detail: string): Promise<void> {
    await recordSecurityEvent(sql, api, { kind: 'sign_in_provider_event', actor, accountId, detail, at: new Date() })
  }
}
