/** Verifies identity tokens of Apple and Google, and redeems the authorization codes of Apple. */
import type { z } from 'zod'
import type { Context } from '../../context.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { actorOf, type Caller } from '../http/caller.ts'
import { Problem } from '../http/problem.ts'
import type { appleProof, googleProof } from '../views/account-fields.ts'

export interface ProvenIdentity {
  provider: 'apple' | 'google'
  subject: string
  clientId: string
  email: string | undefined
}

interface RequestFacts {
  caller: Caller
  ip: string | undefined
  requestId: string
}

/**
 * Verifies the tokens.
 * @returns the identity in each token
 * @throws Problem sign_in_refused for an invalid token; ProviderFailure when Apple's or Google's keys cannot be fetched
 */
export async function proveIdentities(
  context: Context,
  proofs: {
    apple?: Pick<z.output<typeof appleProof>, 'identityToken' | 'nonce' | 'clientId'> | undefined
    google?: z.output<typeof googleProof> | undefined
  },
  request: RequestFacts,
): Promise<{ apple: ProvenIdentity | undefined; google: ProvenIdentity | undefined }> {
  const { apple, google } = proofs
  const [provenApple, provenGoogle] = await Promise.all([
    apple && refusing(context, request, context.apple.verifyIdToken(apple.identityToken, nonceOf(apple))),
    google && refusing(context, request, context.google.verifyIdToken(google.identityToken, nonceOf(google))),
  ])
  if (provenApple && apple?.clientId !== undefined && apple.clientId !== provenApple.clientId) {
    const errors = [{ field: 'apple.clientId', reason: 'not the app that the identity token is for' }]
    throw new Problem('invalid_request', { errors })
  }
  return {
    apple: provenApple && {
      provider: 'apple',
      subject: provenApple.subject,
      clientId: provenApple.clientId,
      // At work and school an organisation gives its users their addresses, and Apple may not have verified them.
      email: provenApple.emailVerified ? provenApple.email : undefined,
    },
    google: provenGoogle && {
      provider: 'google',
      subject: provenGoogle.subject,
      clientId: '',
      email: provenGoogle.emailVerified ? provenGoogle.email : undefined,
    },
  }
}

/**
 * Exchanges Apple's single-use code for a refresh token. G3, delete at once: a deletion needs the refresh token to
 * revoke the link at Apple.
 * @throws Problem sign_in_refused when Apple refuses the code, or when the code belongs to another Apple user
 */
export async function redeemAppleCode(
  context: Context,
  proof: { identity: ProvenIdentity; authorizationCode: string },
  request: RequestFacts,
): Promise<string> {
  const { identity, authorizationCode } = proof
  const exchanged = await refusing(context, request, context.apple.exchangeCode(authorizationCode, identity.clientId))
  if (exchanged.subject !== identity.subject) throw await refused(context, request, 'other_subject')
  return exchanged.refreshToken
}

const nonceOf = (proof: { nonce?: string | undefined }): { nonce?: string } =>
  proof.nonce === undefined ? {} : { nonce: proof.nonce }

async function refusing<Result>(context: Context, request: RequestFacts, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (isProviderFailure(error) && error.kind === 'rejected') throw await refused(context, request, error.code)
    throw error
  }
}

async function refused(context: Context, request: RequestFacts, code: string): Promise<Problem> {
  const { caller, ip, requestId } = request
  const event = { kind: 'identity_refused', actor: actorOf(caller), ip, detail: code, requestId } as const
  await recordSecurityEvent(context.sql, context, { ...event, at: new Date() })
  return new Problem('sign_in_refused', { detail: `The sign-in was refused: ${code}.` })
}
