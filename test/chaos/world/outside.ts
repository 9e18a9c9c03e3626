/** Reads the books of outside parties into the form that the oracles read. */
import { z } from 'zod'
import type { SimulatorControls } from '../../../dev/simulators/simulators.ts'
import { tableOf } from '../../../shared/keys-of.ts'
import type { LoggedRequest } from '../../../sim/simulator.ts'
import { readSold } from '../../harness/checks/provider-books.ts'
import { esimSimulatorNames } from '../../harness/test-packages.ts'
import type { Mail, OutsideBooks } from '../oracles/record.ts'

const metaEvent = z.object({ event_id: z.string() })
const analyticsEvent = z.object({ app_instance_id: z.string(), params: z.object({ transaction_id: z.string() }) })

/** Reads all books. */
export async function readOutside(
  sims: SimulatorControls,
  deliveries: OutsideBooks['deliveries'] = [],
): Promise<OutsideBooks> {
  const [stripe, sold, apple, firebase, mailbox, mails, meta, analytics, received] = await Promise.all([
    sims.stripe.state(),
    readSold(sims),
    sims.apple.state(),
    sims.firebase.state(),
    sims.mailbox.state(),
    readMails(sims),
    sims.meta.state(),
    sims.googleAnalytics.state(),
    readRequests(sims),
  ])
  const attempts = received.firebase
    .filter(({ url }) => url.endsWith('messages:send'))
    .map(({ at, body, status }) => ({ token: String(JSON.parse(body).message.token), at: Date.parse(at), status }))
  return {
    payments: stripe.paymentIntents.map((payment) => ({
      id: payment.id,
      orderId: payment.metadata.order_id ?? '',
      succeeded: payment.status === 'succeeded',
      receivedMinor: payment.amount_received,
      charges: stripe.charges.filter((charge) => charge.payment_intent === payment.id && charge.status === 'succeeded')
        .length,
      customer: typeof payment.customer === 'string' ? payment.customer : null,
    })),
    refunds: stripe.refunds.map(({ payment_intent, amount, status }) => ({
      payment: String(payment_intent),
      minor: amount,
      failed: status === 'failed' || status === 'canceled',
    })),
    customers: stripe.customers.filter((customer) => !customer.deleted).map(({ id }) => id),
    esims: sold.flatMap(({ provider, esims }) => esims.map((esim) => ({ provider, ...esim }))),
    topUps: sold
      .filter(({ kind }) => kind === 'top_up')
      .map(({ provider, reference, toppedUp }) => ({ provider, reference, iccid: toppedUp ?? '' })),
    mails,
    lostMailReplies: mailbox.refusals
      .filter(({ code }) => code === 'dropped')
      .map(({ at, recipient }) => ({ at: Date.parse(at), to: recipient })),
    pushes: firebase.delivered.map(({ at, token, message }) => ({
      at: Date.parse(at),
      token,
      content: JSON.stringify([message.notification, message.data]),
    })),
    pushAttempts: attempts.map(({ token, at, status }) => ({ token, at, lost: status === null })),
    unregistered: attempts.filter(({ status }) => status === 404).map(({ token, at }) => ({ token, at })),
    grants: apple.grants.map(({ sub, revokedAt }) => ({ party: 'apple', subject: sub, revoked: revokedAt !== null })),
    firebaseUsers: firebase.users,
    conversions: [
      ...meta.events.map((event) => ({
        party: 'meta' as const,
        text: JSON.stringify(event),
        id: metaEvent.parse(event).event_id,
        instance: null,
      })),
      ...analytics.events.map((event) => {
        const { params, app_instance_id: instance } = analyticsEvent.parse(event)
        const text = JSON.stringify(event)
        return { party: 'google-analytics' as const, text, id: params.transaction_id, instance }
      }),
    ],
    deliveries,
    received: Object.entries(received).flatMap(([party, log]) =>
      log.map(({ method, url, body }) => ({ party, text: `${method} ${url}\n${body}` })),
    ),
  }
}

const listening = ['stripe', ...esimSimulatorNames, 'apple', 'google', 'firebase', 'meta', 'googleAnalytics'] as const

/** The books of a large world are longer than one answer can be. */
const pageLength = 500

async function readRequests(sims: SimulatorControls): Promise<Record<(typeof listening)[number], LoggedRequest[]>> {
  const logs = tableOf(listening, (): LoggedRequest[] => [])
  await Promise.all(
    listening.map(async (name) => {
      for (let isMore = true; isMore; ) {
        const page = await sims[name].log({ after: logs[name].length, limit: pageLength })
        logs[name].push(...page)
        isMore = page.length === pageLength
      }
    }),
  )
  return logs
}

async function readMails({ mailbox }: SimulatorControls): Promise<Mail[]> {
  const mails: Mail[] = []
  for (let after = 0; ; ) {
    const page = await mailbox.do('find', { after, limit: pageLength })
    for (const { id, at, envelope, subject, messageId, text, html, headers, attachments } of page) {
      after = id
      mails.push({
        at: Date.parse(at),
        to: envelope.to,
        subject,
        messageId,
        text: text || html,
        hasQrCode: attachments.some(({ contentType }) => contentType.startsWith('image/')),
        oneClick: headers['list-unsubscribe-post'] !== undefined,
      })
    }
    if (page.length < pageLength) return mails
  }
}

/** Books without what they held before: several worlds can live on one stack. */
export function since(books: OutsideBooks, before: OutsideBooks): OutsideBooks {
  return {
    payments: later(books.payments, before.payments, ({ id }) => id),
    refunds: books.refunds.slice(before.refunds.length),
    customers: later(books.customers, before.customers, (id) => id),
    esims: later(books.esims, before.esims, ({ id, provider }) => `${provider} ${id}`),
    topUps: later(books.topUps, before.topUps, ({ reference }) => reference),
    mails: books.mails.slice(before.mails.length),
    lostMailReplies: books.lostMailReplies.slice(before.lostMailReplies.length),
    pushes: books.pushes.slice(before.pushes.length),
    pushAttempts: books.pushAttempts.slice(before.pushAttempts.length),
    unregistered: books.unregistered.slice(before.unregistered.length),
    grants: books.grants.slice(before.grants.length),
    firebaseUsers: books.firebaseUsers,
    conversions: (['meta', 'google-analytics'] as const).flatMap((name) => {
      const of = ({ conversions }: OutsideBooks) => conversions.filter(({ party }) => party === name)
      return of(books).slice(of(before).length)
    }),
    deliveries: books.deliveries,
    received: books.received,
  }
}

/** Books without messages to the people of other worlds. */
export function withoutPeopleOf(worlds: readonly string[], books: OutsideBooks): OutsideBooks {
  const isOthers = (text: string): boolean =>
    worlds.some((world) => text.includes(`.${world}@`) || text.includes(`-${world}-`))
  const isOurs = ({ token }: { token: string }): boolean => !isOthers(token)
  return {
    ...books,
    mails: books.mails.filter(({ to }) => !to.every(isOthers)),
    pushes: books.pushes.filter(isOurs),
    pushAttempts: books.pushAttempts.filter(isOurs),
    unregistered: books.unregistered.filter(isOurs),
  }
}

function later<Item>(items: Item[], before: Item[], key: (item: Item) => string): Item[] {
  const known = new Set(before.map(key))
  return items.filter((item) => !known.has(key(item)))
}
