/** U4: promotions go only to those who asked for them. Activities of a campaign. */
import { heartbeat } from '@temporalio/activity'
import pMap from 'p-map'
import type { Context } from '../context.ts'
import { markMailBounced, openRecipient, type Recipient, type SealedRecipient } from '../db/accounts.ts'
import { arePromotionsSuspended } from '../db/backup/restored-permissions.ts'
import {
  type CampaignRow,
  claimDelivery,
  countRecipients,
  findCampaign,
  listRecipients,
  openCampaign,
  recordDeliveryResult,
  recordUnknownDeliveries,
  setCampaignState,
} from '../db/campaigns.ts'
import { unsubscribeToken } from '../db/crypto/unsubscribe-token.ts'
import { raiseOperatorTask } from '../db/operator-tasks.ts'
import { idRange } from '../db/policy-deliveries.ts'
import { renderPromotion } from '../mails/promotion.tsx'
import type { RenderedMail } from '../mails/render.ts'
import type { Language } from '../messages/languages.ts'
import { textsOf } from '../messages/texts.ts'
import { milliseconds } from '../policy/periods.ts'
import { isProviderFailure, type ProviderFailure } from '../providers/failure.ts'
import { failure } from '../shared/failures.ts'
import type { CampaignActivities } from '../workflows/campaign.contract.ts'
import { retryDelay, sinceScheduledMs } from './failures.ts'
import { messageIdOf } from './sending/send-mail.ts'

const pageSize = 500
/** A few more than the mailer has connections, so that no connection waits for the database. */
const concurrency = 8
/** after this many failures in a row the mail server counts as down */
const maxFailuresInARow = 20
/** A mail that is refused for no fault of the address is tried again for so long; a promotion is out of date then. */
const triedAgainForMs = milliseconds.day
const heartbeatMs = 3_000

type MailFor = (language: Language) => ReturnType<typeof renderPromotion>

interface Prepared {
  recipient: Recipient
  /** to unsubscribe */
  url: string
  mail: RenderedMail
}

export function createCampaignActivities(context: Context): CampaignActivities {
  const { sql, cipher, config } = context
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }

  return {
    openCampaign: ({ campaignId }) => openCampaign(sql, campaignId),

    async planCampaign({ campaignId }) {
      if (!(await findCampaign(sql, campaignId))) return { pages: 0 }
      return { pages: Math.max(1, Math.ceil((await countRecipients(sql)) / pageSize)) }
    },

    async sendCampaignPage({ campaignId, page, pages, asOf }) {
      const campaign = await findCampaign(sql, campaignId)
      if (!campaign) return { lookedAt: 0, sent: 0, stopped: false }
      // The run pauses itself, and raises an operator task.
      if (await arePromotionsSuspended(sql)) throw failure('CampaignStateConflict', { code: 'promotions_suspended' })
      const recipients = await listRecipients(sql, idRange(page, pages))
      const { sent, mailFailure } = await sendAll(campaign, recipients, mailsOf(campaign), new Date(asOf))
      if (mailFailure) {
        throw failure('MailUnavailable', {
          code: mailFailure.code,
          ...retryDelay(mailFailure),
        })
      }
      const stopped = (await findCampaign(sql, campaignId))?.state !== 'sending'
      return { lookedAt: stopped ? 0 : recipients.length, sent, stopped }
    },

    async setCampaignState({ campaignId, state, asOf }) {
      const isOver = state === 'done' || state === 'cancelled'
      if (isOver) await recordUnknownDeliveries(sql, campaignId)
      await setCampaignState(sql, campaignId, state, isOver ? new Date(asOf) : null)
    },

    async reportStuckCampaign({ campaignId, asOf }) {
      await raiseOperatorTask(sql, { kind: 'campaign_stuck', subjectId: campaignId, at: new Date(asOf) })
    },
  }

  /** Each language is rendered once for a page. */
  function mailsOf(campaign: CampaignRow): MailFor {
    const mails = new Map<Language, ReturnType<typeof renderPromotion>>()
    return (language) => {
      const { subject, paragraphs, action_label: label, action_url: url } = campaign
      const action = label && url ? { action: { label, url } } : {}
      const known =
        mails.get(language) ?? renderPromotion({ site, texts: textsOf(language), subject, paragraphs, ...action })
      mails.set(language, known)
      return known
    }
  }

  async function sendAll(
    campaign: CampaignRow,
    accountIds: string[],
    mailFor: MailFor,
    at: Date,
  ): Promise<{ sent: number; mailFailure: ProviderFailure | undefined }> {
    let sent = 0
    let failuresInARow = 0
    let mailFailure: ProviderFailure | undefined
    let unprepared: { error: unknown } | undefined
    const lastTry = sinceScheduledMs() > triedAgainForMs
    // A mail server may take ten minutes for its answer.
    const beat = setInterval(() => heartbeat(), heartbeatMs)
    await pMap(accountIds, sendOne, { concurrency }).finally(() => clearInterval(beat))
    if (lastTry && failuresInARow < maxFailuresInARow) mailFailure = undefined
    if (unprepared && !mailFailure) throw unprepared.error
    return { sent, mailFailure }

    async function sendOne(accountId: string): Promise<void> {
      if (failuresInARow >= maxFailuresInARow) return
      const delivery = { campaignId: campaign.id, accountId }
      const claimed = await claimDelivery(sql, { ...delivery, at })
      if (!claimed) return
      let prepared: Prepared
      try {
        prepared = prepare(claimed, mailFor)
      } catch (error) {
        // This worker may lack the key of the address: another one sends it.
        await recordDeliveryResult(sql, delivery, 'due')
        unprepared ??= { error }
        return
      }
      const { recipient } = prepared
      try {
        await send(campaign, prepared)
        await recordDeliveryResult(sql, delivery, 'sent')
        sent += 1
        failuresInARow = 0
      } catch (error) {
        if (!isProviderFailure(error)) throw error
        if (error.kind === 'rejected') {
          await recordDeliveryResult(sql, delivery, 'refused')
          await markMailBounced(sql, accountId, recipient.emailIndex)
        } else if (error.kind === 'unknown_outcome') {
          // The mail is not sent again: a promotion must not come twice.
          await recordDeliveryResult(sql, delivery, 'unknown')
        } else {
          failuresInARow += 1
          const isGivenUp = lastTry && failuresInARow < maxFailuresInARow
          await recordDeliveryResult(sql, delivery, isGivenUp ? 'refused' : 'due')
          mailFailure = mailFailure?.needsOperator ? mailFailure : error
        }
      }
    }
  }

  /** All that can fail before anything is sent. */
  function prepare(claimed: SealedRecipient, mailFor: MailFor): Prepared {
    const recipient = openRecipient(context, claimed)
    const url = new URL(`/u/${unsubscribeToken(cipher, recipient.accountId)}`, config.PUBLIC_URL).href
    return { recipient, url, mail: mailFor(recipient.language)(url) }
  }

  async function send(campaign: CampaignRow, { recipient, url, mail }: Prepared): Promise<void> {
    const { accountId, email } = recipient
    const kind = `mail:campaign:${cipher.accountRef(accountId)}`
    await context.mail.send(mail, {
      kind: 'promotional',
      to: email,
      listUnsubscribe: { url },
      messageId: messageIdOf(context, { subjectId: campaign.id, kind }),
    })
  }
}
