/**
 * C1 to C6, the data that we keep: the fields of an account in the API. C7, nothing else is kept: each schema refuses
 * unknown fields.
 */
import { z } from 'zod'
import { consentSources } from '../../db/consents.ts'
import { languages } from '../../messages/languages.ts'
import { isVisible } from '../../shared/text/one-line.ts'
import { oneLineOfName, sentId } from '../http/storable.ts'
import { enumeration } from './enumeration.ts'
import { policyVersion } from './policy-fields.ts'

export const accountId = sentId
export const accountParams = z.strictObject({ id: accountId })

const longestName = 100
/** Of a first and a last name with a space between them. */
export const longestWholeName = 2 * longestName + 1

/** The name of somebody who has one name alone is a dash or a dot in the other field. */
const nameOf = (longest: number) =>
  oneLineOfName(longest).refine(isVisible, {
    error: 'must have a character that is seen',
    // An empty name has one fault.
    when: ({ issues }) => issues.length === 0,
  })

const personName = nameOf(longestName)

/** First and last name in one field. */
export const wholeName = nameOf(longestWholeName)
export const email = z.email().max(254)
const phone = z.e164()
const language = z.enum(languages)

const token = z.string().min(1).max(8_192)
const nonce = z.string().min(1).max(256).optional().describe('the nonce that the app used for this sign-in')

export const appleProof = z.strictObject({
  identityToken: token,
  authorizationCode: z
    .string()
    .min(1)
    .max(1_024)
    .describe('works once; exchanged at once for a refresh token, by which a deletion revokes the link'),
  nonce,
  clientId: z
    .string()
    .max(255)
    .optional()
    .describe('the app that the code was issued for; must equal the audience of the token'),
})
export const googleProof = z.strictObject({ identityToken: token, nonce })

export const newAccount = z
  .strictObject({
    email: email
      .optional()
      .describe(
        'may be left out when a sign-in token contains one; a person may only send one that their sign-in token contains as verified',
      ),
    firstName: personName,
    lastName: personName,
    phone: phone.optional().describe('E.164'),
    policyVersion: policyVersion
      .optional()
      .describe('the accepted version of the privacy policy: the one that GET /v1/policies marks `forNewcomers`'),
    language: language.optional().describe('in which we write to the person; without it by `Accept-Language`'),
    apple: appleProof.optional(),
    google: googleProof.optional(),
    firebaseUid: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe('service keys only; a person proves it by their ID token'),
  })
  .meta({ id: 'NewAccount' })

/** The editable fields as a form sends them: always all of them. */
export const profileForm = z.strictObject({
  firstName: personName,
  lastName: personName,
  phone: z
    .literal('')
    .transform(() => null)
    .or(phone),
})

export const accountChanges = z
  .strictObject({
    firstName: personName.optional(),
    lastName: personName.optional(),
    phone: phone.nullable().optional(),
    language: language.optional(),
  })
  .refine((changes) => Object.values(changes).some((value) => value !== undefined), 'must change something')
  .meta({ id: 'AccountChanges' })

export const newSignIn = z
  .strictObject({
    apple: appleProof
      .partial({ authorizationCode: true })
      .optional()
      .describe('links the Apple user; the first time with `authorizationCode`'),
    google: googleProof.optional(),
  })
  .meta({ id: 'NewSignIn' })

const time = z
  .date()
  .transform((date) => date.toISOString())
  .pipe(z.iso.datetime())

export const promotionsConsent = z
  .object({ granted: z.boolean(), changedAt: z.nullable(time), source: z.enum(consentSources).nullable() })
  .meta({ id: 'PromotionsConsent' })

const emailState = enumeration('EmailState', 'Whether mail reaches an account', {
  ok: 'No mail has come back',
  bounced: 'Mail to the address comes back; the person should correct it',
})

export const account = z
  .object({
    id: accountId,
    email: z.string(),
    emailState: emailState.schema,
    firstName: z.string(),
    lastName: z.string(),
    phone: z.string().nullable(),
    language: language.describe('in which we write to the person'),
    signUpIp: z.string().nullable(),
    lastLoginIp: z.string().nullable(),
    identities: z.array(
      z.object({ provider: z.enum(['apple', 'google', 'firebase']), subject: z.string(), linkedAt: z.nullable(time) }),
    ),
    consents: z.object({ promotions: promotionsConsent }),
    devices: z.int().describe('number of devices'),
    policyVersion: z.string(),
    createdAt: time,
    lastActiveAt: time,
  })
  .meta({ id: 'Account' })

export const device = z
  .object({
    deviceId: z.string(),
    platform: z.enum(['ios', 'android']),
    hasPushToken: z.boolean(),
    appVersion: z.string().nullable(),
    model: z.string().nullable(),
    osVersion: z.string().nullable(),
    hasAppInstanceId: z.boolean(),
    seenAt: time,
  })
  .meta({ id: 'Device' })
