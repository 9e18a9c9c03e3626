import type { ApiContext } from '../../context.ts'
import { recordSignIn } from '../../db/accounts.ts'
import { AlreadyTaken, asAlreadyTaken } from '../../db/connection/constraint.ts'
import { findDataKey } from '../../db/crypto/column-encryption.ts'
import { findAccountOfIdentity, linkIdentity } from '../../db/identities.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import { personAddressHeader, personAddressMeaning } from '../http/address.ts'
import { actorOf } from '../http/caller.ts'
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
        "Stores the person's IP address and the time of the sign-in, and links the Apple or Google user of a token in the body. Without a token the body is an empty object.",
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
      problems: ['sign_in_refused', 'identity_taken', 'identity_differs'],
      async handle({ params: { id }, body, caller, ip, requestId }) {
        const asking = { caller, ip, requestId }
        const proven = await proveIdentities(api, body, asking)
        const at = new Date()
        if (proven.google) await link(id, proven.google, null, at)
        if (proven.apple) {
          await link(id, proven.apple, await appleToken(id, proven.apple, body.apple?.authorizationCode, asking), at)
        }
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
    const owner = await findAccountOfIdentity(api.sql, api, 'apple', identity.subject)
    if (owner !== undefined && owner !== id) throw new Problem('identity_taken')
    if (authorizationCode !== undefined) return redeemAppleCode(api, { identity, authorizationCode }, asking)
    if (owner === id) return null
    // G3, delete at once: without the code we get no refresh token, by which a deletion revokes the link at Apple.
    throw new Problem('invalid_request', { errors: [{ field: 'apple.authorizationCode', reason: 'missing' }] })
  }

  async function link(id: string, identity: ProvenIdentity, refreshToken: string | null, at: Date): Promise<void> {
    const key = orNotFound(await findDataKey(api.sql, api, id))
    try {
      const linked = linkIdentity(api.sql, api, key, { ...identity, refreshToken, at })
      if ((await asAlreadyTaken(linked)) === 'other_subject') throw new Problem('identity_differs')
    } catch (error) {
      throw error instanceof AlreadyTaken ? new Problem('identity_taken') : error
    }
  }
}
