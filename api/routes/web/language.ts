/** The choice of a language on the pages. It works without scripts. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { updateAccount } from '../../../db/accounts.ts'
import { languages } from '../../../messages/languages.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { languageCookie } from '../../language/request-language.ts'
import { noticeCookie } from '../../sign-in/notice-cookie.ts'

const language = z.enum(languages)
const elsewhere = { description: 'Done; `Location` is the page in that language' } as const

export function languageRoutes({ sql, dataKeys, cipher, config }: ApiContext): Route[] {
  const { PUBLIC_URL: publicUrl } = config
  return [
    defineRoute({
      method: 'get',
      path: '/language',
      tag: 'pages',
      summary: 'Chooses the language of the pages in this browser, and leads back to the page',
      callers: ['public'],
      query: z.strictObject({
        to: language,
        next: z.string().max(2_000).default('/').describe('path and query of the page'),
      }),
      responses: { 303: elsewhere },
      handle({ query }) {
        const cookie = languageCookie(query.to, publicUrl)
        return { status: 303, headers: { Location: ownAddress(query.next, publicUrl), 'Set-Cookie': cookie } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/account/language',
      tag: 'pages',
      summary: "Changes the language of a person's account, and of the pages in this browser",
      promises: ['G2'],
      callers: ['visitor'],
      form: true,
      body: z.strictObject({ language }),
      responses: { 303: elsewhere, 200: html },
      async handle({ caller, body }) {
        const change = { id: caller.accountId, expectedVersion: undefined, changes: body, at: new Date() }
        if ((await updateAccount(sql, { dataKeys, cipher }, change)) !== 'changed') throw new Problem('not_found')
        const cookies = [languageCookie(body.language, publicUrl), noticeCookie('language', publicUrl)]
        return { status: 303, headers: { Location: '/account/data', 'Set-Cookie': cookies } }
      },
    }),
  ]
}

/** Path and query of an address on this site; of any other the start page, so that no link of ours leads elsewhere. */
export function ownAddress(next: string, publicUrl: string): string {
  if (!next.startsWith('/') || !URL.canParse(next, publicUrl)) return '/'
  const { origin, pathname, search } = new URL(next, publicUrl)
  const isOwn = origin === new URL(publicUrl).origin && !pathname.startsWith('//')
  return isOwn ? pathname + search : '/'
}
