import type { ApiContext } from '../../context.ts'
import { recordSignIn } from '../../db/accounts.ts'
import { AlreadyTaken, asAlreadyTaken } from '../../db/connection/constraint.ts'
import { findDataKey } from '../../db/crypto/column-encryption.ts'
import { findAccountOfIdentity, linkIdentity, listIdentities, type NewIdentity } from '../../db/identities.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import { personAddressHeader, personAddressMeaning } from '../http/address.ts'
import { spend } from '../http/allowance.ts'
import { assertFreshSignIn } from '../http/auth.ts'
import { actorOf, type Caller } from '../http/caller.ts'
import { entityTag } from '../http/entity-tag.ts'
import { orNotFound, Problem } from '../http/problem.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { type ProvenIdentity, proveIdentities, redeemAppleCode } from '../sign-in/identity-proofs.ts'
import { account, accountParams, newSignIn } from '../views/account-fields.ts'
import { viewAccount } from '../views/account-view.ts'

export function signInRoutes(api: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/v1/accounts/{id}/sign-ins',
      tag: 'accounts',
      summary: 'Record a sign-in',
      description:
        "Stores the person's IP address and the time of the sign-in, and links the Apple or Google user of a token in the body. Without a token the body is an empty object. A person links another user within ten minutes of their sign-in alone, as they delete the account.",
      promises: ['C5', 'C6', 'R1', 'R4'],
      callers: ['service', 'person'],
      scope: 'accounts',
      reads: ['account'],
      account: 'id',
      params: accountParams,
      requestHeaders: { [personAddressHeader]: personAddressMeaning },
      body: newSignIn,
      responses: {
        200: { description: 'The account as it is now', schema: account, headers: { ETag: 'the version' } },
      },
      problems: ['sign_in_refused', 'identity_taken', 'identity_differs', 'fresh_sign_in_required'],
      async handle({ params: { id }, body, caller, ip, requestId }) {
        await spend(api, 'sign_in', { accountId: id })
        const asking = { caller, ip, requestId }
        const proven = await proveIdentities(api, body, asking)
        if (proven.google) await assertLinkable(id, proven.google, caller)
        // Apple's code works once: a sign-in that will be refused must not spend it.
        const refreshToken = proven.apple
          ? await appleToken(id, proven.apple, body.apple?.authorizationCode, asking)
          : null
        const at = new Date()
        await store(id, [
          ...(proven.google ? [{ ...proven.google, refreshToken: null, at }] : []),
          ...(proven.apple ? [{ ...proven.apple, refreshToken, at }] : []),
        ])
        if (!(await recordSignIn(api.sql, api, { id, ip: ip ?? null, at }))) throw new Problem('not_found')
        const event = { kind: 'sign_in', actor: actorOf(caller), accountId: id, ip, requestId } as const
        await recordSecurityEvent(api.sql, api, { ...event, at })
        const view = await viewAccount(api, id)
        return { status: 200, headers: { ETag: entityTag(view.version) }, body: view.body }
      },
    }),
  ]

  async function appleToken(
    id: string,
    identity: ProvenIdentity,
    authorizationCode: string | undefined,
    asking: Parameters<typeof redeemAppleCode>[2],
  ): Promise<string | null> {
    const owner = await assertLinkable(id, identity, asking.caller)
    if (authorizationCode !== undefined) return redeemAppleCode(api, { identity, authorizationCode }, asking)
    if (owner === id) return null
    // G3, delete at once: without the code we get no refresh token, by which a deletion revokes the link at Apple.
    throw new Problem('invalid_request', { errors: [{ field: 'apple.authorizationCode', reason: 'missing' }] })
  }

  /**
   * G3: whoever is linked may delete the account, by deleting their own account at Apple. So a link needs the fresh
   * sign-in that a deletion needs.
   * @returns the account that is linked with the identity already
   * @throws Problem identity_taken, identity_differs, fresh_sign_in_required
   */
  async function assertLinkable(
    id: string,
    { provider, subject }: ProvenIdentity,
    caller: Caller,
  ): Promise<string | undefined> {
    const owner = await findAccountOfIdentity(api.sql, api, provider, subject)
    if (owner !== undefined && owner !== id) throw new Problem('identity_taken')
    if (owner !== undefined) return owner
    const own = await listIdentities(api.sql, api, id)
    if (own.some((identity) => identity.provider === provider)) throw new Problem('identity_differs')
    assertFreshSignIn(caller, new Date())
    return undefined
  }

  /** Links all identities, or none: a sign-in that is refused changes nothing. */
  async function store(id: string, identities: readonly NewIdentity[]): Promise<void> {
    if (identities.length === 0) return
    const key = orNotFound(await findDataKey(api.sql, api, id))
    try {
      await asAlreadyTaken(
        api.sql.begin(async (tx) => {
          for (const identity of identities) {
            if ((await linkIdentity(tx, api, key, identity)) === 'other_subject') throw new Problem('identity_differs')
          }
        }),
      )
    } catch (error) {
      throw error instanceof AlreadyTaken ? new Problem('identity_taken') : error
    }
  }
}
