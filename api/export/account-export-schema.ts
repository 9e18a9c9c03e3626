/**
 * G5, everybody can take their data along: the format of an export. A published version never changes: any change that
 * a reader could notice needs a new version with a new address.
 */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { languages } from '../../messages/languages.ts'

export const exportVersion = 3
export const exportSchemaPath = `/schemas/account-export-${exportVersion}.json` as const

const time = z.iso.datetime()
const day = z.iso.date()
const text = z.string()
const maybe = <Schema extends z.ZodType>(schema: Schema) => z.nullable(schema)
const bytes = z.int().describe('bytes')
const minor = z.int().describe("in the currency's smallest unit")

const esim = z.strictObject({
  provider: text.describe('who made it'),
  iccid: text,
  activationCode: text.describe('installs the eSIM'),
  confirmationCode: maybe(text),
  state: text,
  suspended: z.boolean(),
  totalBytes: maybe(bytes).describe('null: unlimited'),
  usedBytes: bytes,
  activatedAt: maybe(time),
  unusedUntil: maybe(time),
  expiresAt: maybe(time),
})

const document = z.strictObject({
  number: text,
  kind: z.enum(['invoice', 'credit_note']),
  issuedOn: day,
  suppliedOn: day,
  seller: text,
  description: text,
  netMinor: minor,
  taxMinor: minor,
  grossMinor: minor,
  taxRateBps: z.int().describe('hundredths of a percent'),
  currency: text,
  corrects: maybe(text).describe('the invoice that a credit note takes back'),
})

const order = z.strictObject({
  id: text,
  topUpOf: maybe(text),
  packageCode: text,
  packageName: text,
  destination: text,
  quantity: z.int(),
  dataBytes: maybe(bytes).describe('null: unlimited'),
  days: z.int(),
  amountMinor: minor,
  currency: text,
  status: text,
  reason: maybe(text),
  paymentKind: maybe(text).describe('card, apple_pay, google_pay, ...; we never had the number'),
  adConsent: z.strictObject({ userData: z.boolean(), personalization: z.boolean() }),
  createdAt: time,
  paidAt: maybe(time),
  deliveredAt: maybe(time),
  endedAt: maybe(time),
  esims: z.array(esim),
  refunds: z.array(z.strictObject({ amountMinor: minor, state: text, reason: text, createdAt: time })),
  disputes: z.array(z.strictObject({ state: text, openedAt: time, closedAt: maybe(time) })),
  invoices: z.array(document),
  taxEvidence: z.strictObject({ ipCountry: maybe(text), cardCountry: maybe(text) }),
  performanceConsent: maybe(z.strictObject({ version: text, at: time })).describe('to delivery at once'),
  withdrawal: maybe(z.strictObject({ name: text, openedAt: time, statedAt: maybe(time) })).describe(
    'from the contract of this order',
  ),
})

const parts = {
  consents: z.strictObject({ purpose: text, granted: z.boolean(), source: text, at: time }),
  identities: z.strictObject({ provider: text, subject: text, linkedAt: time }),
  devices: z.strictObject({
    deviceId: text,
    platform: text,
    pushToken: maybe(text),
    appVersion: maybe(text),
    model: maybe(text),
    osVersion: maybe(text),
    appInstanceId: maybe(text),
    seenAt: time,
  }),
  orders: order,
  messages: z.strictObject({ kind: text, state: text, at: time }),
  policyNotices: z.strictObject({
    version: text,
    notice: text.describe('that it is coming, that its day has moved, or that it will not come'),
    state: text,
    takesEffectOn: time.describe('as you were told'),
    at: maybe(time).describe('null: mail did not reach you'),
  }),
  emailChanges: z.strictObject({
    oldEmail: maybe(text),
    newEmail: maybe(text),
    state: text,
    requestedAt: time,
    oldConfirmedAt: maybe(time),
    newConfirmedAt: maybe(time),
    endedAt: maybe(time),
  }),
  promotions: z.strictObject({ subject: text, state: text, at: time }),
  privacyRequests: z.strictObject({
    id: text,
    kind: text,
    message: text,
    replyTo: maybe(text),
    state: text,
    receivedAt: time,
    answerBy: time,
    extendedBecause: maybe(text),
    answerKind: maybe(text),
    answer: maybe(text),
    answeredAt: maybe(time),
  }),
  securityLog: z.strictObject({ at: time, kind: text, ip: maybe(text) }),
  accesses: z.strictObject({
    at: time,
    by: z.enum(['service', 'operator', 'person']).describe('service: the app itself; person: an export'),
    key: maybe(text).describe('the id of the key that was used'),
    route: text,
    fields: z.array(text),
  }),
}

const account = z.strictObject({
  id: text,
  email: text,
  mailState: z.enum(['ok', 'bounced']).describe('bounced: the address refused our mail for good'),
  firstName: text,
  lastName: text,
  phone: maybe(text),
  signUpIp: maybe(text),
  lastLoginIp: maybe(text),
  firebaseUid: maybe(text),
  policyVersion: text,
  language: z.enum(languages).describe('in which we write to the person'),
  consents: z.strictObject({ promotions: z.strictObject({ granted: z.boolean() }) }),
  createdAt: time,
  lastActiveAt: time,
})

export const accountExport = z
  .strictObject({
    $schema: z.url(),
    version: z.literal(exportVersion),
    exportedAt: time,
    controller: text.describe('who is responsible for the data'),
    processors: z
      .array(z.strictObject({ name: text, purpose: text, receives: text }))
      .describe('who else gets any of it, what, and what for'),
    account,
    consents: z.array(parts.consents).describe('every change, oldest first'),
    identities: z.array(parts.identities),
    devices: z.array(parts.devices),
    orders: z.array(parts.orders).describe('oldest first'),
    messages: z.array(parts.messages).describe('what was sent to you'),
    policyNotices: z.array(parts.policyNotices).describe('what you were told about changes of the privacy policy'),
    emailChanges: z.array(parts.emailChanges),
    promotions: z.array(parts.promotions),
    privacyRequests: z.array(parts.privacyRequests),
    securityLog: z.array(parts.securityLog).describe('of the last 90 days at most'),
    accesses: z.array(parts.accesses).describe('who read your data, of the last 90 days at most, newest first'),
  })
  .describe('Everything that AMA eSIM holds about a person')

export type ExportList = keyof typeof parts
export type Exported<List extends ExportList> = z.input<(typeof parts)[List]>
export type ExportedAccount = z.input<typeof account>

/** Documents of earlier versions name their schemas, which stay published as they were. */
export const earlierVersions = [1, 2] as const

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
