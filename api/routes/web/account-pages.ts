/**
 * G1, G2, G4, G5, a person can see, correct and take along their data and withdraw consent: on the web, signed in by a
 * mailed link.
 */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { findAccount, stripeCustomerOf, updateAccount } from '../../../db/accounts.ts'
import { listConsents, setPromotions } from '../../../db/consents.ts'
import { peekLinkToken } from '../../../db/crypto/link-tokens.ts'
import { listDevices } from '../../../db/devices.ts'
import { latestEmailChange } from '../../../db/email-changes.ts'
import { listIdentities } from '../../../db/identities.ts'
import { listPrivacyRequests, privacyRequestKinds } from '../../../db/privacy-requests.ts'
import { recordSecurityEvent } from '../../../db/security-log.ts'
import { closeSession, listOwnSessions } from '../../../db/web-sessions.ts'
import { privacyReference } from '../../../policy/privacy-reference.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import { exportAccount } from '../../export/account-export.ts'
import { spend } from '../../http/allowance.ts'
import type { Visitor } from '../../http/caller.ts'
import { claimForm } from '../../http/idempotency.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, elsewhere, html, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import type { NoticeName } from '../../pages/account/frame.tsx'
import { type MyDataPage, renderMyData } from '../../pages/account/my-data.tsx'
import { onceOf } from '../../pages/form.tsx'
import { layoutHeaders, type PageContext } from '../../pages/layout.tsx'
import { renderNotFound } from '../../pages/problems/not-found.tsx'
import { destinations, renderAskAddress, renderLinkSent, renderUseLink } from '../../pages/sign-in.tsx'
import { createEmailChangeClient } from '../../runs/email-change-client.ts'
import { createPrivacyRequestClient } from '../../runs/privacy-request-client.ts'
import { noticeCookie } from '../../sign-in/notice-cookie.ts'
import { secretIn, signOutHeaders } from '../../sign-in/session-cookie.ts'
import { createWebSignIn } from '../../sign-in/web-sign-in.ts'
import { email, profileForm } from '../../views/account-fields.ts'
import { exportHeaders } from '../exports.ts'
import { accountPage } from './account-page.ts'

const headers = layoutHeaders({ forms: true })
const destination = z.enum(destinations).default('account')
const token = z.strictObject({ token: z.string().max(100) })
const privacyRequestOperation = 'POST /account/privacy-request'
const shownConsents = 50
const shownRequests = 20

export function accountPageRoutes(api: ApiContext): Route[] {
  const { sql, config } = api
  const { PUBLIC_URL: publicUrl } = config
  const signIn = createWebSignIn(api)
  const emailChanges = createEmailChangeClient(api)
  const requests = createPrivacyRequestClient(api)
  const show = accountPage(publicUrl)

  const done = (notice: NoticeName) => ({
    status: 303 as const,
    headers: { Location: '/account/data', 'Set-Cookie': noticeCookie(notice, publicUrl) },
  })

  return [
    defineRoute({
      method: 'get',
      path: '/account/data',
      tag: 'pages',
      summary: "A person's data and settings; without a session the page to sign in",
      promises: ['G1', 'G2', 'G4', 'G5'],
      callers: ['public', 'visitor'],
      responses: { 200: html },
      async handle({ caller, header, page }) {
        if (caller.kind !== 'visitor') return { status: 200, headers, raw: renderAskAddress('account/data', page()) }
        return show(header, (notice) => myData(caller, page(), { notice }))
      },
    }),
    defineRoute({
      method: 'get',
      path: '/account/sign-in',
      tag: 'pages',
      summary: 'Asks for the e-mail address of an account',
      callers: ['public', 'visitor'],
      query: z.strictObject({ next: destination }),
      responses: { 200: html },
      handle: ({ query, page }) => ({ status: 200, headers, raw: renderAskAddress(query.next, page()) }),
    }),
    defineRoute({
      method: 'post',
      path: '/account/sign-in',
      tag: 'pages',
      summary: 'Mails a sign-in link if the address has an account, without telling whether it has one',
      promises: ['G1'],
      callers: ['public'],
      form: true,
      body: z.strictObject({ email, next: destination }),
      responses: { 200: html },
      showFormAgain: ({ page }, refused) =>
        renderAskAddress(destination.catch('account').parse(refused.typed.next), page(), { refused }),
      handle({ body, page }) {
        signIn.requestLink(body.email, body.next)
        return { status: 200, headers, raw: renderLinkSent(page(), signIn.validMinutes) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/account/sign-in/{token}',
      tag: 'pages',
      summary: 'Shows the button that signs in by a mailed link; the link stays unspent',
      callers: ['public', 'visitor'],
      params: token,
      responses: { 200: html, 404: html },
      async handle({ params, page }) {
        const link = await peekLinkToken(sql, params.token, ['sign_in'], new Date())
        const account = link && (await findAccount(sql, api, link.accountId))
        if (!account) return { status: 404, headers, raw: renderNotFound(page()) }
        const { email, language } = account
        return { status: 200, headers, raw: renderUseLink({ token: params.token, email }, page(language)) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/account/sign-in/{token}',
      tag: 'pages',
      summary: 'Signs in by a mailed link, which works once',
      promises: ['G1', 'R4'],
      callers: ['public'],
      form: true,
      params: token,
      body: z.strictObject({}),
      responses: { 303: elsewhere, 404: html },
      async handle({ params, header, ip, requestId, page }) {
        const replaces = secretIn(header('cookie'), 'visitor', publicUrl)
        const used = await signIn.takeLink(params.token, replaces, { ip, requestId })
        return used
          ? { status: 303, headers: { Location: used.next, 'Set-Cookie': used.cookie } }
          : { status: 404, headers, raw: renderNotFound(page()) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/account/sign-out',
      tag: 'pages',
      summary: 'Ends the session',
      callers: ['visitor'],
      form: true,
      body: z.strictObject({}),
      responses: { 303: elsewhere, 200: html },
      async handle({ header }) {
        const secret = secretIn(header('cookie'), 'visitor', publicUrl)
        if (secret) await closeSession(sql, secret)
        const { 'Set-Cookie': ended, ...forgotten } = signOutHeaders('visitor', publicUrl)
        const cookies = [ended, noticeCookie('signed_out', publicUrl)]
        return { status: 303, headers: { Location: '/account', ...forgotten, 'Set-Cookie': cookies } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/account/profile',
      tag: 'pages',
      summary: 'Corrects names and phone number',
      promises: ['G2', 'C7'],
      callers: ['visitor'],
      form: true,
      body: profileForm,
      responses: { 303: elsewhere, 200: html },
      showFormAgain: ({ caller, page }, refused) =>
        myData(caller, page(), { refused: { ...refused, form: 'profile' } }),
      async handle({ caller, body }) {
        const change = { id: caller.accountId, expectedVersion: undefined, changes: body, at: new Date() }
        if ((await updateAccount(sql, api, change)) !== 'changed') throw new Problem('not_found')
        return done('profile')
      },
    }),
    defineRoute({
      method: 'post',
      path: '/account/promotions',
      tag: 'pages',
      summary: 'Agrees to promotions, or withdraws',
      promises: ['U4', 'G4'],
      callers: ['visitor'],
      form: true,
      body: z.strictObject({ granted: z.literal('on').optional() }),
      responses: { 303: elsewhere, 200: html },
      async handle({ caller, body }) {
        const granted = body.granted === 'on'
        await setPromotions(sql, { accountId: caller.accountId, granted, source: 'web', at: new Date() })
        return done(granted ? 'offers_on' : 'offers_off')
      },
    }),
    defineRoute({
      method: 'post',
      path: '/account/email',
      tag: 'pages',
      summary: 'Asks the old and the new e-mail address to agree to a change',
      promises: ['G2'],
      callers: ['visitor'],
      freshSignIn: true,
      form: true,
      body: z.strictObject({ email }),
      responses: { 303: elsewhere, 200: html },
      problems: ['request_in_progress', 'email_change_state_conflict'],
      showFormAgain: ({ caller, page }, refused) => myData(caller, page(), { refused: { ...refused, form: 'email' } }),
      async handle({ caller, body, ip, requestId }) {
        const { accountId } = caller
        const { requestedAt: at } = await emailChanges.request(accountId, body.email)
        await recordSecurityEvent(sql, api, { kind: 'email_change', actor: 'person', accountId, ip, requestId, at })
        return done('email')
      },
    }),
    defineRoute({
      method: 'post',
      path: '/account/privacy-request',
      tag: 'pages',
      summary: 'Makes a privacy request',
      promises: ['G6'],
      callers: ['visitor'],
      form: true,
      largeBody: 'texts',
      body: z.strictObject({
        once: sentId,
        kind: z.enum(privacyRequestKinds),
        message: z.string().trim().min(1).max(20_000),
      }),
      responses: { 303: elsewhere, 200: html },
      problems: ['account_missing', 'privacy_request_state_conflict'],
      showFormAgain: ({ caller, page }, refused) =>
        myData(caller, page(), { refused: { ...refused, form: 'privacyRequest' } }),
      async handle({ caller, body: { once, ...request } }) {
        const form = { operation: privacyRequestOperation, caller, once, content: request }
        const { resourceId: id } = await claimForm(api, form, 'privacy_request')
        const { accountId } = caller
        await requests.open({ ...request, id, accountId, replyTo: null, receivedAt: new Date() })
        return done('request')
      },
    }),
    defineRoute({
      method: 'get',
      path: '/account/export',
      tag: 'pages',
      summary: "Downloads the person's data as one JSON document",
      promises: ['G5'],
      callers: ['visitor'],
      reads: ['everything'],
      freshSignIn: true,
      responses: { 200: { description: 'The document', contentType: 'application/json' }, 401: html },
      async handle({ caller: { accountId }, ip, requestId }) {
        const at = new Date()
        await spend(api, 'export', { accountId })
        const raw = await exportAccount(api, accountId, at)
        await recordSecurityEvent(sql, api, { kind: 'data_exported', actor: 'person', accountId, ip, requestId, at })
        return { status: 200, headers: exportHeaders, about: [accountId], raw }
      },
    }),
  ]

  async function savedCards(accountId: string): Promise<MyDataPage['cards']> {
    const customerId = await stripeCustomerOf(sql, accountId)
    if (customerId === undefined) return null
    try {
      return await api.stripe.listSavedCards(customerId)
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      return undefined
    }
  }

  async function myData(
    { accountId, sessionId, csrf }: Visitor,
    page: PageContext,
    { notice, refused }: { notice?: string | undefined; refused?: MyDataPage['refused'] },
  ): Promise<string> {
    const asOf = new Date()
    const asked = { accountId, filter: undefined, asOf, after: undefined, limit: shownRequests }
    const [account, identities, consents, devices, change, open, cards, sessions] = await Promise.all([
      findAccount(sql, api, accountId),
      listIdentities(sql, api, accountId),
      listConsents(sql, accountId, shownConsents),
      listDevices(sql, api, accountId),
      latestEmailChange(sql, api, accountId),
      listPrivacyRequests(sql, asked),
      savedCards(accountId),
      listOwnSessions(sql, sessionId, asOf),
    ])
    if (!account) throw new Problem('not_found')
    const shown = {
      csrf,
      notice,
      refused,
      account: { ...account, identities },
      consents,
      devices,
      cards,
      sessions,
      once: onceOf(refused),
      requests: open.map((row) => ({
        reference: privacyReference(row.id),
        kind: row.kind,
        state: row.state,
        receivedAt: row.received_at,
        answerBy: row.answer_by,
      })),
      newEmail: change?.state === 'open' ? change.newEmail : null,
    }
    return renderMyData(shown, page)
  }
}
