/** Turns what Apple and Google say about a person into identities to store. */
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

interface Asking {
  caller: Caller
  ip: string | undefined
  requestId: string
}

/**
 * Verifies the tokens.
 * @throws Problem sign_in_refused for a token that is not good; ProviderFailure when that cannot be found out now
 */
export async function proveIdentities(
  context: Context,
  proofs: {
    apple?: Pick<z.output<typeof appleProof>, 'identityToken' | 'nonce' | 'clientId'> | undefined
    google?: z.output<typeof googleProof> | undefined
  },
  asking: Asking,
): Promise<{ apple: ProvenIdentity | undefined; google: ProvenIdentity | undefined }> {
  const { apple, google } = proofs
  const [provenApple, provenGoogle] = await Promise.all([
    apple && refusing(context, asking, context.apple.verifyIdToken(apple.identityToken, nonceOf(apple))),
    google && refusing(context, asking, context.google.verifyIdToken(google.identityToken, nonceOf(google))),
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
      email: provenApple.email,
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
 * Swaps Apple's single-use code for the refresh token without which the link could never be revoked (G3).
 * @throws Problem sign_in_refused when Apple refuses the code, or it is somebody else's
 */
export async function redeemAppleCode(
  context: Context,
  proof: { identity: ProvenIdentity; authorizationCode: string },
  asking: Asking,
): Promise<string> {
  const { identity, authorizationCode } = proof
  const exchanged = await refusing(context, asking, context.apple.exchangeCode(authorizationCode, identity.clientId))
  if (exchanged.subject !== identity.subject) throw await refused(context, asking, 'other_subject')
  return exchanged.refreshToken
}

const nonceOf = (proof: { nonce?: string | undefined }): { nonce?: string } =>
  proof.nonce === undefined ? {} : { nonce: proof.nonce }

async function refusing<Result>(context: Context, asking: Asking, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (isProviderFailure(error) && error.kind === 'rejected') throw await refused(context, asking, error.code)
    throw error
  }
}

async function refused(context: Context, asking: Asking, code: string): Promise<Problem> {
  const { caller, ip, requestId } = asking
  const event = { kind: 'identity_refused', actor: actorOf(caller), ip, detail: code, requestId } as const
  await recordSecurityEvent(context.sql, context, { ...event, at: new Date() })
  return new Problem('sign_in_refused', { detail: `The sign-in was refused: ${code}.` })
}
