/** U3: package updates are sent once. All go by push; those that a customer may want to act on also go by mail. */
import type { Context } from '../../context.ts'
import { findEsimsWithTopUps } from '../../db/catalogue/packages.ts'
import { installUrl } from '../../db/crypto/install-token.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import type { StoredEsim } from '../../db/order/esims.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { mailBounced } from '../../db/order/unreached.ts'
import { listMails } from '../../db/sends.ts'
import { type EsimNotice, renderEsimStatus } from '../../mails/order/esim-status.tsx'
import type { EsimStatus } from '../../providers/esim.ts'
import { failureType } from '../../shared/failures.ts'
import { pushToAccount } from '../sending/push-to-account.ts'
import { sendMail, toAccount } from '../sending/send-mail.ts'
import { sendOnce } from '../sending/send-once.ts'
import { summaryOf } from './notices.ts'

const mailed: readonly EsimNotice[] = ['low_data', 'used_up', 'last_day', 'ended_early']

export function createEsimNotices(context: Context) {
  const { config } = context
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }

  return {
    /**
     * Notifies the person by push that the mail with the eSIM came back, once. A push that fails is sent at the next check
     * of the eSIMs. When no device takes it, an operator has to find the person.
     */
    async sendBounceNotice(order: OrderRow, at: Date): Promise<void> {
      const mails = await listMails(context.sql, order.id)
      const bounced = mails.find(({ mail, state }) => mail === 'confirmation' && state === 'bounced')
      if (!bounced) return
      const { account_id: accountId } = order
      const send = { subjectId: order.id, kind: 'push:mail_bounced', accountId }
      const task = { kind: mailBounced, subjectId: order.id, detail: bounced.code ?? undefined, at }
      await trySend(() =>
        sendOnce(context, send, { at, unavailable: 'PushUnavailable', unknown: 'skip' }, async () => {
          const outcome = await pushToAccount(context, accountId, (t) => ({
            title: t('push.mailBounced.title'),
            body: t('push.mailBounced.body'),
            data: { orderId: order.id, event: 'mail_bounced' },
            collapseKey: `${order.id}.mail_bounced`,
          }))
          // Before the send ledger records the outcome: after that no attempt would raise the task.
          if (outcome === 'skipped') await raiseOperatorTask(context.sql, task)
          return outcome
        }),
      )
    },

    /** Returns false when a message could not be sent; the send ledger has it as due, and the next refresh sends it. */
    async send(
      esim: StoredEsim,
      order: OrderRow,
      notices: EsimNotice[],
      status: EsimStatus,
      at: Date,
    ): Promise<boolean> {
      let allSent = true
      for (const notice of notices) {
        const sent = await Promise.all([
          trySend(() => push(esim, order, notice, status, at)),
          mailed.includes(notice) ? trySend(() => mail(esim, order, notice, status, at)) : true,
        ])
        allSent &&= sent.every(Boolean)
      }
      return allSent
    },
  }

  async function push(
    esim: StoredEsim,
    { id: orderId, account_id: accountId }: OrderRow,
    notice: EsimNotice,
    status: EsimStatus,
    at: Date,
  ) {
    const occasion = occasionOf(notice, status)
    const send = { subjectId: esim.id, kind: `push:${occasion}`, accountId }
    await sendOnce(context, send, { at, unavailable: 'PushUnavailable', unknown: 'skip' }, async () => {
      const promisesNoMore = namesTopUps(notice) && !(await takesTopUps(esim))
      return pushToAccount(context, accountId, (t) => ({
        title: t(`push.esim.${notice}.title`),
        body: promisesNoMore ? t(`push.esim.${notice}.noMore`) : t(`push.esim.${notice}.body`),
        data: { orderId, esimId: esim.id, event: notice },
        collapseKey: `${esim.id}.${notice}`,
      }))
    })
  }

  /** Asked when a message is composed: packages come and go. */
  async function takesTopUps({ id }: StoredEsim): Promise<boolean> {
    return (await findEsimsWithTopUps(context.sql, [id])).has(id)
  }

  async function mail(esim: StoredEsim, order: OrderRow, notice: EsimNotice, status: EsimStatus, at: Date) {
    const { account_id: accountId } = order
    const send = { subjectId: esim.id, kind: `mail:${occasionOf(notice, status)}`, accountId }
    const compose = () =>
      toAccount(context, accountId, async (_account, texts) =>
        renderEsimStatus({
          site,
          texts,
          order: await summaryOf(context, order),
          notice,
          usedBytes: status.usedBytes,
          totalBytes: status.totalBytes,
          ...(status.expiresAt && { expiresAt: new Date(status.expiresAt) }),
          takesTopUps: await takesTopUps(esim),
          esimUrl: (await installUrl(context, order)) ?? site.publicUrl,
          topUpUrl: `${site.publicUrl}/account`,
        }),
      )
    await sendMail(context, { send, at, compose })
  }
}

/** Whether the push says that data or time can be added. */
const namesTopUps = (notice: EsimNotice): notice is 'low_data' | 'used_up' | 'last_day' =>
  notice === 'low_data' || notice === 'used_up' || notice === 'last_day'

/** After a top-up, which changes volume or expiry, the same notices are sent again. */
function occasionOf(notice: EsimNotice, { totalBytes, expiresAt }: EsimStatus): string {
  if (notice === 'low_data' || notice === 'used_up') return `${notice}:${totalBytes}`
  return notice === 'last_day' ? `${notice}:${expiresAt}` : notice
}

async function trySend(send: () => Promise<unknown>): Promise<boolean> {
  try {
    await send()
    return true
  } catch (error) {
    const type = failureType(error)
    if (type === 'PushUnavailable' || type === 'MailUnavailable') return false
    throw error
  }
}
