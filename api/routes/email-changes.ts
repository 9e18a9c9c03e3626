import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { languageOf, normalEmail } from '../../db/accounts.ts'
import { peekLinkToken } from '../../db/crypto/link-tokens.ts'
import { type EmailChange, findEmailChange } from '../../db/email-changes.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import { isoOrNull } from '../../shared/calendar.ts'
import { actAndRecord } from '../acts/recorded-acts.ts'
import { actorOf } from '../http/caller.ts'
import { Problem } from '../http/problem.ts'
import { defineRoute, html, type Route } from '../http/route.ts'
import { type EmailChangePage, renderEmailChange } from '../pages/email-change.tsx'
import { layoutHeaders, type PageContext } from '../pages/layout.tsx'
import { renderNotFound } from '../pages/problems/not-found.tsx'
import { createEmailChangeClient } from '../runs/email-change-client.ts'
import { accountParams, email } from '../views/account-fields.ts'
import { enumeration } from '../views/enumeration.ts'
import { whyField } from '../views/operator-words.ts'
import { createAccountActs } from './console/account-acts.ts'

const time = z.iso.datetime()
const emailChangeState = enumeration('EmailChangeState', 'What became of a change of address', {
  open: 'Old or new address have not confirmed it yet',
  changed: 'The account has the new address',
  expired: 'Not confirmed in time',
  cancelled: 'Cancelled before both had confirmed it',
  replaced: 'Another change was asked for since',
  taken: 'Another account has the new address',
})
const emailChange = z
  .object({
    state: emailChangeState.schema,
    newEmail: z.string().nullable().describe('null once the change has ended'),
    requestedAt: time,
    expiresAt: time,
    oldConfirmedAt: time.nullable(),
    newConfirmedAt: time.nullable(),
  })
  .meta({ id: 'EmailChange' })

const waivedOldAddress = z
  .strictObject({
    newEmail: email.optional().describe('the address that the person has asked for, as they say it'),
    ...whyField,
  })
  .meta({ id: 'WaivedOldAddress' })

const one = { description: 'The change and its state', schema: emailChange }
const token = z.strictObject({ token: z.string().max(100) })
const sides = ['email_change_old', 'email_change_new'] as const

export function emailChangeRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const client = createEmailChangeClient(api)
  const accounts = createAccountActs(api)
  const shown = (what: EmailChangePage, page: PageContext) => ({
    status: 200 as const,
    headers: layoutHeaders({ forms: true }),
    raw: renderEmailChange(what, page),
  })
  const lost = (page: PageContext) => ({ status: 404 as const, headers: layoutHeaders(), raw: renderNotFound(page) })

  return [
    defineRoute({
      method: 'post',
      path: '/v1/accounts/{id}/email-change',
      tag: 'accounts',
      summary: 'Correct the e-mail address',
      description:
        'Both addresses get a link that works once, for 24 hours. The account gets the new address once both have agreed. Another request replaces this one.',
      promises: ['G2'],
      callers: ['service', 'person'],
      scope: 'accounts',
      reads: ['emailChanges'],
      account: 'id',
      freshSignIn: true,
      params: accountParams,
      body: z.strictObject({ email }).meta({ id: 'NewEmailChange' }),
      responses: { 202: one },
      problems: ['request_in_progress', 'email_change_state_conflict'],
      async handle({ params: { id }, body, caller, ip, requestId }) {
        const change = await client.request(id, body.email)
        const event = { kind: 'email_change', actor: actorOf(caller), accountId: id, ip, requestId } as const
        await recordSecurityEvent(sql, api, { ...event, at: change.requestedAt })
        return { status: 202, body: view(change) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/accounts/{id}/email-change',
      tag: 'accounts',
      summary: 'The latest change of the e-mail address',
      promises: ['G2'],
      callers: ['service', 'person', 'operator'],
      reads: ['emailChanges'],
      account: 'id',
      params: accountParams,
      responses: { 200: one },
      problems: ['not_found'],
      handle: async ({ params: { id } }) => ({ status: 200, body: view(await client.latest(id)) }),
    }),
    defineRoute({
      method: 'delete',
      path: '/v1/accounts/{id}/email-change',
      tag: 'accounts',
      summary: 'Cancel the change and keep the old address',
      promises: ['G2'],
      callers: ['service', 'person'],
      scope: 'accounts',
      account: 'id',
      params: accountParams,
      responses: { 204: { description: 'The change is cancelled, or there is none' } },
      problems: ['email_change_state_conflict'],
      async handle({ params: { id } }) {
        await client.cancel(id, 'cancelled')
        return { status: 204 }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/accounts/{id}/email-change/waive-old',
      tag: 'accounts',
      summary: "Waive the old address's consent, for a person who no longer receives its mail",
      description:
        'Only after the operator has identified the person by other means. The new address must still agree. With `newEmail` it is about the change to that address alone: whoever has taken over the sign-in may have asked for another one since.',
      promises: ['G2'],
      callers: ['operator'],
      reads: ['emailChanges'],
      account: 'id',
      params: accountParams,
      body: waivedOldAddress.optional(),
      responses: { 200: one },
      problems: ['not_found', 'email_change_state_conflict'],
      async handle({ params: { id }, body, caller }) {
        const change = await client.latest(id)
        if (body?.newEmail !== undefined && normalEmail(body.newEmail) !== normalEmail(change.newEmail ?? ''))
          throw new Problem('email_change_state_conflict', { detail: 'No change to this address is open.' })
        const entry = { ...accounts.entryOf('waive-old-address', id), reason: body?.reason ?? null }
        await actAndRecord(api, caller, undefined, entry, (ids) =>
          accounts.acts['waive-old-address'].perform(id, actorOf(caller), { ...ids, change: change.id }),
        )
        return { status: 200, body: view(await client.latest(id)) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/email-change/{token}',
      tag: 'pages',
      summary: 'Asks whether to agree to a new address, and changes nothing',
      promises: ['G2'],
      callers: ['public'],
      params: token,
      responses: { 200: html, 404: html },
      async handle({ params, page }) {
        const link = await peekLinkToken(sql, params.token, sides, new Date())
        const change = link?.subjectId ? await findEmailChange(sql, api, link.subjectId) : undefined
        if (!link || !change?.newEmail) return lost(page())
        const { newEmail } = change
        const isOld = link.purpose === 'email_change_old'
        const what: EmailChangePage = isOld ? { state: 'ask_old', newEmail } : { state: 'ask_new' }
        return shown(what, page(await languageOf(sql, link.accountId)))
      },
    }),
    defineRoute({
      method: 'post',
      path: '/email-change/{token}',
      tag: 'pages',
      summary: 'Agrees to a new address, by a mailed link',
      promises: ['G2'],
      callers: ['public'],
      form: true,
      params: token,
      body: z.strictObject({}),
      responses: { 200: html, 404: html },
      async handle({ params, page }) {
        const link = await peekLinkToken(sql, params.token, sides, new Date())
        const state = await client.confirm(params.token)
        if (!link || !state) return lost(page())
        const what = state.status === 'open' ? 'agreed' : state.status === 'changed' ? 'changed' : 'over'
        return shown({ state: what }, page(await languageOf(sql, link.accountId)))
      },
    }),
  ]
}

const view = (change: EmailChange): z.input<typeof emailChange> => ({
  state: change.state,
  newEmail: change.newEmail,
  requestedAt: change.requestedAt.toISOString(),
  expiresAt: change.expiresAt.toISOString(),
  oldConfirmedAt: isoOrNull(change.oldConfirmedAt),
  newConfirmedAt: isoOrNull(change.newConfirmedAt),
})
