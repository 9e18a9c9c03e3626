/**
 * G4, consent to promotions can be withdrawn at any time: one-click unsubscribe, as RFC 8058 defines it:
 * https://www.rfc-editor.org/rfc/rfc8058
 */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { languageOf } from '../../../db/accounts.ts'
import { findPromotions, setPromotions } from '../../../db/consents.ts'
import { accountOfUnsubscribeToken } from '../../../db/crypto/unsubscribe-token.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { layoutHeaders, type PageContext } from '../../pages/layout.tsx'
import { renderUnsubscribe, type UnsubscribePage } from '../../pages/unsubscribe.tsx'

const params = z.strictObject({ token: z.string().max(200) })

export function unsubscribeRoutes({ sql, cipher }: ApiContext): Route[] {
  const answer = (what: UnsubscribePage, page: PageContext) => ({
    status: what === 'unknown' ? (404 as const) : (200 as const),
    headers: layoutHeaders({ forms: what === 'ask' }),
    raw: renderUnsubscribe(what, page),
  })

  return [
    defineRoute({
      method: 'get',
      path: '/u/{token}',
      tag: 'pages',
      summary: 'Shows the button that stops promotions, and changes nothing',
      promises: ['G4', 'U4'],
      callers: ['public'],
      params,
      responses: { 200: html, 404: html },
      async handle({ params: { token }, page }) {
        const accountId = accountOfUnsubscribeToken(cipher, token)
        if (accountId === undefined) return answer('unknown', page())
        const consent = await findPromotions(sql, accountId)
        return answer(consent?.granted ? 'ask' : 'off', page(await languageOf(sql, accountId)))
      },
    }),
    defineRoute({
      method: 'post',
      path: '/u/{token}',
      tag: 'pages',
      summary: 'Stops promotions with one click',
      promises: ['G4', 'U4'],
      callers: ['public'],
      description:
        'Mailbox providers send `List-Unsubscribe=One-Click` for a person. The body is not read: the token identifies the person, and link scanners do not send POST.',
      // A large mailbox provider posts for many people from few IP addresses: the `webhook` limit must apply.
      unreadBody: ['application/x-www-form-urlencoded', 'multipart/form-data'],
      params,
      responses: { 200: html, 404: html },
      async handle({ params: { token }, page }) {
        const accountId = accountOfUnsubscribeToken(cipher, token)
        if (accountId === undefined) return answer('unknown', page())
        await setPromotions(sql, { accountId, granted: false, source: 'unsubscribe_link', at: new Date() })
        return answer('done', page(await languageOf(sql, accountId)))
      },
    }),
  ]
}
