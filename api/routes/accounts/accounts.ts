import type { ApiContext } from '../../../context.ts'
import { updateAccount } from '../../../db/accounts.ts'
import { personAddressHeader, personAddressMeaning } from '../../http/address.ts'
import { alreadyHas, entityTag, expectedVersion } from '../../http/entity-tag.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { signUp } from '../../sign-in/sign-up.ts'
import { account, accountChanges, accountParams, newAccount } from '../../views/account-fields.ts'
import { viewAccount } from '../../views/account-view.ts'

const versionHeader = { ETag: 'the version, for `If-Match`' }

export function accountRoutes(api: ApiContext): Route[] {
  const oneAccount = { description: 'The account', schema: account, headers: versionHeader }

  return [
    defineRoute({
      method: 'post',
      path: '/v1/accounts',
      tag: 'accounts',
      summary: 'Sign up',
      description:
        'With an e-mail address, or with an identity token of Apple or Google, which is verified here. The app backend vouches for the address that it sends. When a person calls, the Firebase user of their ID token is linked to the account, and the address has to be one that a token proves. Consent to promotions starts as off.',
      promises: ['C1', 'C2', 'C5', 'C6', 'C7', 'U1', 'S1'],
      callers: ['service', 'newcomer', 'person'],
      scope: 'accounts',
      reads: ['account'],
      idempotencyKey: 'optional',
      requestHeaders: {
        'Accept-Language': 'the language of the account, unless `language` says it',
        [personAddressHeader]: personAddressMeaning,
      },
      body: newAccount,
      responses: {
        201: { description: 'The account', schema: account, headers: { ...versionHeader, Location: 'its address' } },
      },
      problems: ['email_taken', 'identity_taken', 'sign_in_refused', 'request_in_progress'],
      async handle(request) {
        const id = await signUp(api, request)
        const { body, version } = await viewAccount(api, id)
        const headers = { ETag: entityTag(version), Location: `/v1/accounts/${id}` }
        return { status: 201, headers, about: [id], body }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/account',
      tag: 'accounts',
      summary: 'The account of the signed-in person',
      description:
        'By the ID token alone, as an app needs it after a sign-in on another phone: the other operations take the `id` that it has. After `no_account` offer to sign up.',
      promises: ['G1', 'C1', 'C2', 'C5', 'C6'],
      callers: ['person'],
      reads: ['account'],
      responses: { 200: oneAccount },
      // Never 304: after another sign-in the same address is another account, which may be at the same version.
      async handle({ caller }) {
        const { body, version } = await viewAccount(api, caller.accountId)
        return { status: 200, headers: { ETag: entityTag(version) }, body }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/accounts/{id}',
      tag: 'accounts',
      summary: 'Everything the account holds about its person',
      promises: ['G1', 'C1', 'C2', 'C5', 'C6'],
      callers: ['service', 'person', 'operator'],
      reads: ['account'],
      account: 'id',
      params: accountParams,
      requestHeaders: { 'If-None-Match': 'answers 304 if the account is still at this version' },
      responses: { 200: oneAccount, 304: { description: 'Not changed', headers: versionHeader } },
      async handle({ params, header }) {
        const { body, version } = await viewAccount(api, params.id)
        const headers = { ETag: entityTag(version) }
        return alreadyHas(header('if-none-match'), version) ? { status: 304, headers } : { status: 200, headers, body }
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/v1/accounts/{id}',
      tag: 'accounts',
      summary: 'Correct names, phone number and language',
      description: 'Fields that are left out stay as they are; `null` removes the phone number.',
      promises: ['G2', 'C2', 'C7'],
      callers: ['service', 'person'],
      scope: 'accounts',
      reads: ['account'],
      account: 'id',
      params: accountParams,
      body: accountChanges,
      requestHeaders: { 'If-Match': 'changes the account only at this version' },
      responses: { 200: { description: 'The account as it is now', schema: account, headers: versionHeader } },
      problems: ['version_conflict'],
      async handle({ params, body, header }) {
        const outcome = await updateAccount(api.sql, api, {
          id: params.id,
          expectedVersion: expectedVersion(header('if-match')),
          changes: body,
          at: new Date(),
        })
        if (outcome === 'missing') throw new Problem('not_found')
        if (outcome === 'other_version') throw new Problem('version_conflict')
        const view = await viewAccount(api, params.id)
        return { status: 200, headers: { ETag: entityTag(view.version) }, body: view.body }
      },
    }),
  ]
}
