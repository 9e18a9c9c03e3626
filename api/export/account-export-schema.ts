/**
 * G5, everybody can take their data along: the format of an export. A published version never changes: any change that
 * a reader could notice needs a new version with a new address.
 */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { languages } from '../../messages/languages.ts'

export const exportVersion = 4
export const exportSchemaPath = `/schemas/account-export-${exportVersion}.json` as const

const time = z.iso.datetime()
const day = z.iso.date()
const text = z.string()
/** Null means something else in each field, so that each says it: a test demands it. */
const maybe = <Schema extends z.ZodType>(schema: Schema, what: string) => z.nullable(schema).describe(what)
const bytes = z.int()
const minor = (of: string) => z.int().describe(`${of}, in the currency's smallest unit`)
const currency = text.describe('ISO 4217')

const esim = z.strictObject({
  provider: text.describe('who made it'),
  iccid: text.describe('its number (ICCID)'),
  activationCode: text.describe('installs the eSIM'),
  confirmationCode: maybe(text, 'what some phones ask for at its installation; null: it has none'),
  state: text.describe(
    'new, installed, in_use, used_up, expired, removed, cancelled, suspended or unknown, as its provider says',
  ),
  suspended: z.boolean().describe('whether we have it kept from going online, because its payment is disputed'),
  totalBytes: maybe(bytes, 'how much data it has, in bytes; null: unlimited'),
  usedBytes: bytes.describe('how much of that was used, in bytes, as far as its provider has said it'),
  activatedAt: maybe(time, 'when it first went online; null: it did not, or its provider does not say'),
  unusedUntil: maybe(time, 'until when it can be installed; null: its provider sets no limit'),
  expiresAt: maybe(time, 'when its days are over; null: they have not begun, or its provider does not say'),
})

const document = z.strictObject({
  number: text.describe('by which the invoice or credit note is found in our books'),
  kind: z.enum(['invoice', 'credit_note']).describe('a credit note takes an invoice back, or a part of it'),
  issuedOn: day.describe('the day on which it was made'),
  suppliedOn: day.describe('the day on which the eSIM was delivered'),
  seller: text.describe('who has sold it'),
  description: text.describe('what was sold'),
  netMinor: minor('without tax; negative on a credit note'),
  taxMinor: minor('the tax'),
  grossMinor: minor('with tax'),
  taxRateBps: z.int().describe('the rate of the tax, in hundredths of a percent'),
  currency,
  corrects: maybe(text, 'the invoice that a credit note takes back; null: it is an invoice'),
})

const order = z.strictObject({
  id: text.describe('the number of the order'),
  topUpOf: maybe(text, 'the order whose eSIM got more data; null: it is no top-up'),
  packageCode: text.describe('what was ordered, by our code'),
  packageName: text.describe('the same, as it was called in the shop'),
  destination: text.describe('the country (ISO 3166), or a region of several'),
  quantity: z.int().describe('how many eSIMs'),
  dataBytes: maybe(bytes, 'the data of each, in bytes; null: unlimited'),
  days: z.int().describe('how long each can be used'),
  amountMinor: minor('the price'),
  currency,
  status: text.describe('where the order is, such as delivered or refunded'),
  reason: maybe(text, 'why it is there; null: there is none, or it is being decided whether the order is delivered'),
  paymentKind: maybe(text, 'card, apple_pay, google_pay, ...; we never had the number. null: not paid'),
  adConsent: z
    .strictObject({
      userData: z.boolean().describe('that data about you measures advertising'),
      personalization: z.boolean().describe('that advertising is made for you'),
    })
    .describe('what you allowed with this order'),
  createdAt: time.describe('when it was ordered'),
  paidAt: maybe(time, 'null: not paid'),
  deliveredAt: maybe(time, 'null: not delivered'),
  endedAt: maybe(time, 'when nothing more was to come of it; null: that is not yet so'),
  history: z
    .array(
      z.strictObject({
        kind: z
          .enum(['review', 'payment_declined', 'fraud_warning'])
          .describe(
            "we looked at the order before its delivery; a bank declined a payment; the card's bank warned us of fraud",
          ),
        at: time.describe('when that was'),
      }),
    )
    .describe('what happened on the way; nothing is said of it while we look at the order'),
  esims: z.array(esim).describe('the eSIMs that were delivered'),
  refunds: z
    .array(
      z.strictObject({
        amountMinor: minor('how much was given back'),
        state: text.describe('what the payment processor says: pending, succeeded, failed, ...'),
        reason: text.describe('why it was given back'),
        createdAt: time.describe('when we asked the payment processor for it'),
      }),
    )
    .describe('what was given back'),
  disputes: z
    .array(
      z.strictObject({
        state: text.describe('what the payment processor says'),
        amountMinor: maybe(z.int(), "what is disputed, in the currency's smallest unit; null: we were not told"),
        currency: maybe(text, 'ISO 4217; null: we were not told'),
        reason: maybe(text, 'what the bank gives as the reason; null: we were not told'),
        openedAt: time.describe('when your bank began to ask the payment back'),
        closedAt: maybe(time, 'null: it is not decided'),
      }),
    )
    .describe('payments that your bank has asked back'),
  invoices: z.array(document).describe('invoices and credit notes'),
  taxEvidence: z
    .strictObject({
      ipCountry: maybe(text, 'the country of your connection (ISO 3166); null: nobody asked, or it is not known'),
      cardCountry: maybe(text, 'the country of your card (ISO 3166); null: not paid, or it is not known'),
    })
    .describe('by which the country of the tax is known'),
  performanceConsent: maybe(
    z.strictObject({
      version: text.describe('which text you agreed to'),
      at: time.describe('when you agreed'),
    }),
    'that you agreed to delivery at once; null: nobody asked you',
  ),
  withdrawal: maybe(
    z.strictObject({
      name: text.describe('the name that you gave'),
      openedAt: time.describe('when you began'),
      statedAt: maybe(time, 'when you confirmed it; null: you did not'),
      statement: maybe(text, 'what you stated; null: not kept'),
    }),
    'from the contract of this order; null: there was none',
  ),
})

const parts = {
  consents: z.strictObject({
    purpose: text.describe('what you were asked to agree to'),
    granted: z.boolean().describe('whether you agreed'),
    source: text.describe('where: in the app, on the web, by a link in a mail, ...'),
    at: time.describe('when'),
  }),
  identities: z.strictObject({
    provider: text.describe('apple or google'),
    subject: text.describe('by which Apple or Google calls you'),
    linkedAt: time.describe('since when'),
  }),
  signInEvents: z.strictObject({
    provider: text.describe('apple or google'),
    topic: text.describe('account: whether you can use it there; email: whether its relay address takes mail'),
    at: time.describe('of the newest event that we were sent'),
  }),
  devices: z.strictObject({
    deviceId: text.describe('by which the app calls your phone'),
    platform: text.describe('ios or android'),
    pushToken: maybe(text, 'by which push messages find your phone; null: it gets none'),
    appVersion: maybe(text, 'of our app; null: it did not say'),
    model: maybe(text, 'of the phone; null: the app did not say'),
    osVersion: maybe(text, 'of its system; null: the app did not say'),
    appInstanceId: maybe(text, 'by which Google Analytics calls the app on this phone; null: it did not say'),
    seenAt: time.describe('when the app last said this'),
  }),
  orders: order,
  messages: z.strictObject({
    kind: text.describe('mail or push, and the occasion'),
    state: text.describe(
      'sent; due or sending: not yet; skipped: you could not get it; failed: it was refused or came back',
    ),
    at: time.describe('of the first attempt'),
  }),
  policyNotices: z.strictObject({
    version: text.describe('of the privacy policy'),
    notice: text.describe('that it is coming, that its day has moved, or that it will not come'),
    state: text.describe('whether the mail was sent'),
    takesEffectOn: time.describe('as you were told'),
    at: maybe(time, 'when it was sent; null: mail did not reach you'),
  }),
  emailChanges: z.strictObject({
    oldEmail: maybe(text, 'null: the change is over, and the address is deleted here'),
    newEmail: maybe(text, 'null: the change is over, and the address is deleted here'),
    state: text.describe(
      'draft: just asked for; open, changed, expired, cancelled, replaced by another one, or taken by another account',
    ),
    requestedAt: time.describe('when you asked for it'),
    oldConfirmedAt: maybe(time, 'when the old address agreed, or we did for it; null: it did not'),
    newConfirmedAt: maybe(time, 'when the new address agreed; null: it did not'),
    endedAt: maybe(time, 'null: it is open'),
  }),
  promotions: z.strictObject({
    subject: text.describe('of the mail'),
    state: text.describe('whether it was sent'),
    at: time.describe('when'),
  }),
  privacyRequests: z.strictObject({
    id: text.describe('the number of the request'),
    kind: text.describe('what you asked for, such as access'),
    message: text.describe('in your words'),
    replyTo: maybe(text, 'where the answer goes; null: to the address of your account'),
    state: text.describe('draft: just asked; open, or answered'),
    receivedAt: time.describe('when it came'),
    answerBy: time.describe('until when it has to be answered'),
    extendedBecause: maybe(text, 'why it takes longer; null: it does not'),
    answerKind: maybe(text, 'whether it was granted; null: not answered'),
    answer: maybe(text, 'in our words; null: not answered, or answered elsewhere'),
    answeredAt: maybe(time, 'null: not answered'),
  }),
  securityLog: z.strictObject({
    at: time.describe('when'),
    kind: text.describe('what happened, such as a sign-in'),
    ip: maybe(text, 'from which address; null: not known, or it was one of us'),
  }),
  accesses: z.strictObject({
    at: time.describe('when'),
    by: z
      .enum(['service', 'operator', 'person'])
      .describe('service: the app itself; operator: one of us; person: an export'),
    key: maybe(text, 'the id of the key that was used; null: it was without a key'),
    route: text.describe('what was asked of our service'),
    fields: z.array(text).describe('which groups of data the answer had'),
  }),
  operatorTasks: z.strictObject({
    kind: text.describe('what one of us had to look at'),
    about: text.describe('the id of the account, order, eSIM, request or change of address'),
    detail: maybe(text, 'more of that, as a code; null: there is no more'),
    openedAt: time.describe('since when'),
    note: maybe(text, 'what one of us has written about it, without ids of others; null: nothing'),
    notedAt: maybe(time, 'when that was written; null: nothing was'),
    settledAt: maybe(time, 'null: it is open'),
  }),
  operatorActs: z.strictObject({
    act: text.describe('what one of us has done, or asked for'),
    orderId: maybe(text, 'the order that it was about; null: it was about the account'),
    reason: maybe(text, 'why, in their words, without ids of others; null: they gave none'),
    amountMinor: maybe(z.int(), "the sum, in the smallest unit of the order's currency; null: it was about none"),
    state: text.describe('done, refused, or asked: it is not known whether it was done'),
    at: time.describe('when'),
  }),
}

const account = z.strictObject({
  id: text.describe('the number of your account'),
  email: text.describe('your address'),
  mailState: z.enum(['ok', 'bounced']).describe('bounced: the address refused our mail for good'),
  firstName: text.describe('as you gave it'),
  lastName: text.describe('as you gave it'),
  phone: maybe(text, 'null: you gave none'),
  signUpIp: maybe(text, 'the address of the connection by which you signed up; null: not known'),
  lastLoginIp: maybe(text, 'the same of your last sign-in; null: not known'),
  firebaseUid: maybe(text, 'by which Firebase, where the app signs you in, calls you; null: we have none'),
  policyVersion: text.describe('the version of the privacy policy that you accepted'),
  language: z.enum(languages).describe('in which we write to the person'),
  consents: z
    .strictObject({
      promotions: z
        .strictObject({ granted: z.boolean().describe('whether you get promotions') })
        .describe('mails about offers'),
    })
    .describe('as they are now'),
  createdAt: time.describe('when you signed up'),
  lastActiveAt: time.describe('when you last used it: an account that is not used for three years is deleted'),
})

export const accountExport = z
  .strictObject({
    $schema: z.url().describe('what this document looks like'),
    version: z.literal(exportVersion).describe('of its form'),
    exportedAt: time.describe('when it was made'),
    controller: text.describe('who is responsible for the data'),
    processors: z
      .array(
        z.strictObject({
          name: text.describe('of the company'),
          purpose: text.describe('what it does for us'),
          receives: text.describe('what it gets'),
        }),
      )
      .describe('who else gets any of it, what, and what for'),
    account: account.describe('your account'),
    consents: z.array(parts.consents).describe('every change, oldest first'),
    identities: z.array(parts.identities).describe('with whom else you sign in'),
    signInEvents: z.array(parts.signInEvents).describe('what Apple and Google have told us of these sign-ins'),
    devices: z.array(parts.devices).describe('phones on which you have the app'),
    orders: z.array(parts.orders).describe('oldest first'),
    messages: z.array(parts.messages).describe('what was sent to you'),
    policyNotices: z.array(parts.policyNotices).describe('what you were told about changes of the privacy policy'),
    emailChanges: z.array(parts.emailChanges).describe('changes of your address'),
    promotions: z.array(parts.promotions).describe('promotions that were sent to you'),
    privacyRequests: z.array(parts.privacyRequests).describe('what you have asked us about your data'),
    securityLog: z.array(parts.securityLog).describe('of the last 90 days at most'),
    accesses: z.array(parts.accesses).describe('who read your data, of the last 90 days at most, newest first'),
    operatorTasks: z
      .array(parts.operatorTasks)
      .describe(
        'what we had to look at by hand, with our notes, oldest first; not of orders that we look at for fraud',
      ),
    operatorActs: z
      .array(parts.operatorActs)
      .describe('what one of us has done by hand, and why, oldest first; not of orders that we look at for fraud'),
  })
  .describe('Everything that AMA eSIM holds about a person')

export type ExportList = keyof typeof parts
export type Exported<List extends ExportList> = z.input<(typeof parts)[List]>
export type ExportedAccount = z.input<typeof account>

/** Documents of earlier versions name their schemas, which stay published as they were. */
export const earlierVersions = [1, 2, 3] as const

/** @param publicUrl where it is published */
export async function earlierExportSchema(
  version: (typeof earlierVersions)[number],
  publicUrl: string,
): Promise<object> {
  const name = `account-export-${version}.json`
  const schema: object = JSON.parse(await readFile(new URL(name, import.meta.url), 'utf8'))
  return { ...schema, $id: new URL(`/schemas/${name}`, publicUrl).href }
}

/** @param publicUrl where it is published */
export function exportSchema(publicUrl: string): object {
  return {
    $id: new URL(exportSchemaPath, publicUrl).href,
    ...z.toJSONSchema(accountExport, { target: 'draft-2020-12' }),
  }
}
