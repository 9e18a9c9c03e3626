/**
 * Reads the parts of a seal. Builds of the last 90 days have written them: what a part did not have in one of them may
 * be missing, and what a later build adds is kept, since a part is sealed again after the build was rolled back.
 */
import { z } from 'zod'
import type { Language } from '../../messages/languages.ts'
import { esimProviderIds } from '../../policy/outside-parties.ts'
import { keysOf } from '../../shared/keys-of.ts'
import type { DeletionPart, DeletionSecrets } from './deletion-seals.ts'

/** A part has another form than any build has written. */
export class UnreadablePart extends Error {
  override readonly name = 'UnreadablePart'

  /** @param issues no value of the part is in their paths and codes */
  constructor(part: DeletionPart, issues: readonly { path: PropertyKey[]; code: string }[]) {
    super(
      `the part ${part} of a seal is unreadable: ${issues.map(({ path, code }) => `${path.join('.')} ${code}`).join(', ')}`,
    )
  }
}

type Schemas = { [Part in DeletionPart]: z.ZodType<NonNullable<DeletionSecrets[Part]>> }

const texts = z.array(z.string())
/** db/ knows no texts; the compiler asks for each language. */
const languages: Record<Language, true> = { en: true, de: true, sq: true }

const schemas: Schemas = {
  apple: z.looseObject({ refreshToken: z.string(), clientId: z.string(), subjectIndex: z.string() }),
  google: z.looseObject({ refreshToken: z.string() }),
  firebase: z.looseObject({ uid: z.string() }),
  stripeCustomer: z.looseObject({ customerId: z.string() }),
  settlements: z.array(
    z.looseObject({
      paymentIntentId: z.string(),
      action: z.enum(['cancel', 'refund', 'watch', 'follow']),
      promisedMinor: z.number().optional(),
      bookedMinor: z.number().exactOptional(),
      parts: z
        .array(z.looseObject({ refundKey: z.string(), amountMinor: z.number(), reason: z.string() }))
        .exactOptional(),
      factId: z.string().nullable(),
      invoiceNumber: z.string().nullable(),
      packageName: z.string(),
      destination: z.string(),
      quantity: z.number(),
      grossMinor: z.number(),
      currency: z.string(),
      refundedAt: z.string().nullable(),
      trouble: z.string().nullable(),
    }),
  ),
  providerOrders: z.array(
    z.looseObject({
      provider: z.enum(esimProviderIds),
      clientRef: z.string(),
      packageCode: z.string(),
      quantity: z.number(),
      days: z.number().nullable(),
      orderNo: z.string().nullable(),
      placedAfter: z.string(),
      esimRefs: texts.nullable(),
      returnsAsked: texts.exactOptional(),
    }),
  ),
  payments: z.looseObject({
    paymentIntentIds: texts,
    customerIds: texts,
    job: z.looseObject({ id: z.string(), paymentIntentIds: texts, customerIds: texts }).nullable(),
    setAside: texts,
    refusals: z.number(),
  }),
  address: z.looseObject({ email: z.string(), language: z.enum(keysOf(languages)).exactOptional() }),
  trace: z.looseObject({
    ids: texts,
    blinds: texts,
    orderIds: texts,
    requestIds: texts.exactOptional(),
    emailChangeIds: texts.exactOptional(),
    transaction: z.string(),
  }),
}

/** A part as its step needs it. @throws UnreadablePart */
export function readPart<Part extends DeletionPart>(part: Part, text: string): NonNullable<DeletionSecrets[Part]> {
  const schema: z.ZodType<NonNullable<DeletionSecrets[Part]>> = schemas[part]
  const read = schema.safeParse(JSON.parse(text))
  if (!read.success) throw new UnreadablePart(part, read.error.issues)
  return read.data
}
