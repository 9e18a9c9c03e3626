import { v4 as uuid } from 'uuid'
import type { z } from 'zod'
import type { Context } from '../../context.ts'
import { accountExists, findAccountByEmail, insertAccount, normalEmail } from '../../db/accounts.ts'
import { AlreadyTaken, asAlreadyTaken } from '../../db/connection/constraint.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { findAccountOfIdentity, linkIdentity } from '../../db/identities.ts'
import { versionForNewcomers, versionOfNewcomer } from '../../db/policies.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import { carryEndedUser } from '../../db/sign-in-events.ts'
import type { Language } from '../../messages/languages.ts'
import { isAddress } from '../../providers/mail/mail.ts'
import { invalidToken } from '../http/auth.ts'
import { actorOf, type Caller } from '../http/caller.ts'
import type { Claim, IdempotentRequest } from '../http/idempotency.ts'
import { Problem } from '../http/problem.ts'
import type { newAccount } from '../views/account-fields.ts'
import { type ProvenIdentity, proveIdentities, redeemAppleCode } from './identity-proofs.ts'

export interface SignUp {
  caller: Caller
  body: z.output<typeof newAccount>
  idempotency: IdempotentRequest | undefined
  /** of the request, for an account that names none */
  language: Language
  ip: string | undefined
  requestId: string
}

/** After this time the second of two equal requests no longer takes the first to be in progress. */
const inProgressMs = 60_000

/**
 * U1, data serves to create the account: creates an account. Outside parties are called first and everything is stored
 * in one transaction, so that a refusal or an outage leaves no part of an account.
 * @returns the account's id; a repeated request gets the id of the first
 * @throws Problem email_taken, identity_taken, sign_in_refused, invalid_request, request_in_progress
 */
export async function signUp(context: Context, request: SignUp): Promise<string> {
  const claim = await request.idempotency?.claim(null)
  if (claim?.repeated && (await accountExists(context.sql, claim.resourceId))) return claim.resourceId
  try {
    return await makeAccount(context, request, claim)
  } catch (error) {
    // The account was erased between claim and commit, and the claim with it: the request starts anew.
    if (error instanceof ClaimGone) return signUp(context, request)
    if (!(error instanceof Problem) || !claim) throw error
    // An equal request has made the account meanwhile: Apple's code, which works once, was spent by it.
    if (await accountExists(context.sql, claim.resourceId)) return claim.resourceId
    if (!claim.repeated) await claim.release()
    throw error
  }
}

class ClaimGone extends Error {
  override readonly name = 'ClaimGone'
}

async function makeAccount(context: Context, request: SignUp, claim: Claim | undefined): Promise<string> {
  const { body, caller } = request
  const { sql } = context
  const id = claim?.resourceId ?? uuid()
  if (caller.kind === 'person') throw new Problem('identity_taken')
  const firebaseUid = firebaseUidOf(caller, body.firebaseUid)
  const policyVersion = await acceptedPolicy(context, body.policyVersion)
  const proven = await proveIdentities(context, body, request)
  const email = emailOf(caller, body.email, [proven.apple?.email, proven.google?.email])
  if (email === undefined && (await hasAccount(context, proven))) throw new Problem('identity_taken')
  if (email === undefined) throw new Problem('invalid_request', { errors: [{ field: 'email', reason: 'missing' }] })

  const identities: (ProvenIdentity & { refreshToken: string | null })[] = []
  if (proven.google) identities.push({ ...proven.google, refreshToken: null })
  if (proven.apple && body.apple) {
    // Apple's code works once: a sign-up that will be refused must not spend it.
    await assertFree(context, email, proven.apple)
    const { authorizationCode } = body.apple
    const refreshToken = await redeemAppleCode(context, { identity: proven.apple, authorizationCode }, request).catch(
      (error: unknown) => {
        const first = claim?.repeated ? claim.firstAt.getTime() : 0
        if (!(error instanceof Problem) || Date.now() - first > inProgressMs) throw error
        throw new Problem('request_in_progress', { headers: { 'Retry-After': '1' } })
      },
    )
    identities.push({ ...proven.apple, refreshToken })
  }

  const at = new Date()
  try {
    await asAlreadyTaken(
      sql.begin(async (transaction) => {
        const key = await insertAccount(transaction, context, {
          id,
          email,
          firstName: body.firstName,
          lastName: body.lastName,
          phone: body.phone ?? null,
          signUpIp: request.ip ?? null,
          firebaseUid,
          policyVersion: await versionOfNewcomer(transaction, policyVersion),
          language: body.language ?? request.language,
          at,
        })
        if (firebaseUid !== null) await assertNotEnded(transaction, context, { caller, firebaseUid, accountId: id })
        // An erased account must never come back under its old id.
        if (claim && !(await claim.bind(transaction, id))) throw new ClaimGone()
        for (const identity of identities) await linkIdentity(transaction, context, key, { ...identity, at })
      }),
    )
  } catch (error) {
    if (!(error instanceof AlreadyTaken)) throw error
    throw new Problem(error.taken === 'email' ? 'email_taken' : 'identity_taken')
  }
  const event = { kind: 'sign_up', actor: actorOf(caller), accountId: id, requestId: request.requestId } as const
  await recordSecurityEvent(sql, context, { ...event, ip: request.ip, at })
  return id
}

/**
 * The address of the new account. A person may only name one that a sign-in of theirs proves: with the address of
 * another person they would keep its owner out, and have us write there. The app backend vouches for what it sends.
 */
function emailOf(caller: Caller, given: string | undefined, byParties: (string | undefined)[]): string | undefined {
  // Identity providers have addresses of any form, also ones to which nobody can write.
  const usable = (email: string | undefined): email is string => email !== undefined && isAddress(email)
  if (caller.kind !== 'newcomer') return given ?? byParties.find(usable)
  const proven = [caller.verifiedEmail, ...byParties].filter(usable)
  if (given === undefined) return proven[0]
  if (proven.some((email) => normalEmail(email) === normalEmail(given))) return given
  throw new Problem('invalid_request', { errors: [{ field: 'email', reason: 'is not proven by a sign-in token' }] })
}

/**
 * The Firebase user of an erased account is deleted: who has signed in before would make an account that nobody could
 * sign in to.
 * @throws Problem unauthenticated
 */
async function assertNotEnded(
  tx: Transaction,
  context: Context,
  { caller, ...user }: { caller: Caller; firebaseUid: string; accountId: string },
): Promise<void> {
  const endedAt = await carryEndedUser(tx, context, user)
  if (endedAt && caller.kind === 'newcomer' && caller.signedInAt <= endedAt) throw invalidToken('sign_in_ended')
}

/**
 * N2, a material change is mailed to users: a person who signs up while a new version is coming accepts that version,
 * and gets no notice of it.
 */
async function acceptedPolicy(context: Context, given: string | undefined): Promise<string> {
  const version = await versionForNewcomers(context.sql)
  if (given === undefined || given === version) return version
  throw new Problem('invalid_request', { errors: [{ field: 'policyVersion', reason: `must be ${version}` }] })
}

function firebaseUidOf(caller: Caller, given: string | undefined): string | null {
  if (caller.kind !== 'newcomer') return given ?? null
  if (given === undefined) return caller.firebaseUid
  const errors = [{ field: 'firebaseUid', reason: 'is taken from the sign-in token' }]
  throw new Problem('invalid_request', { errors })
}

/**
 * Apple sends the address only at the first sign-in: a person with an account gets this answer, and not that the
 * address is missing.
 */
async function hasAccount(context: Context, proven: Record<'apple' | 'google', ProvenIdentity | undefined>) {
  for (const identity of [proven.apple, proven.google]) {
    if (identity && (await findAccountOfIdentity(context.sql, context, identity.provider, identity.subject)))
      return true
  }
  return false
}

async function assertFree(context: Context, email: string, identity: ProvenIdentity): Promise<void> {
  const [byEmail, byIdentity] = await Promise.all([
    findAccountByEmail(context.sql, context, email),
    findAccountOfIdentity(context.sql, context, identity.provider, identity.subject),
  ])
  if (byIdentity !== undefined) throw new Problem('identity_taken')
  if (byEmail !== undefined) throw new Problem('email_taken')
}
