/**
 * Sends hostile requests to a running stack, each as a caller whom the route admits, and says what is wrong with an
 * answer.
 */
import { createSurfer, type Surfer } from '../../harness/browser.ts'
import type { Product } from '../../harness/product.ts'
import { visit } from '../../harness/visits.ts'
import type { FuzzWorld } from '../fuzz/world.ts'
import { markup } from './hostile.ts'
import type { HostileRequest, Input, Known } from './inputs.ts'

export interface Senders {
  /** Values that exist, among them the ids of the caller's own rows: what is stored is read and shown again. */
  knownOf(input: Input): Known
  send(input: Input, request: HostileRequest): Promise<Response>
}

/** Callers of every kind, with sessions on the pages. */
export async function createSenders(product: Product, { attacker }: FuzzWorld): Promise<Senders> {
  const { urls, keys } = product
  const visitor = await visit(product.stack, attacker.person)
  const console = createSurfer(urls.api)
  await console.submit('/console', '/console/sign-in', { key: keys.operator })
  const sessions = {
    visitor: { cookie: cookieOf(visitor), csrf: csrfIn((await visitor.open('/account/data')).html) },
    console: { cookie: cookieOf(console), csrf: csrfIn((await console.open('/console')).html) },
  }
  const bearers = { operator: keys.operator, service: keys.service, person: attacker.person.caller.token }

  const { person, order, esimId, requestId } = attacker
  const known = {
    accountId: person.accountId,
    packageCode: order.packageCode,
    deviceId: person.deviceId,
    policyVersion: '2026-11-28',
  }
  const ownIds = { accounts: person.accountId, orders: order.id, esims: esimId, 'privacy-requests': requestId }

  return {
    knownOf({ method, path }) {
      // The other requests need the account and its sign-in.
      if (/\/(?:child-report|sign-out)$/.test(path) || (method === 'DELETE' && path.endsWith('/accounts/{id}')))
        return known
      const id = Object.entries(ownIds).find(([rows]) => path.includes(`/${rows}/{id}`))?.[1]
      return id === undefined ? known : { ...known, id }
    },
    async send({ callers, method }, { url, headers, body }) {
      const bearer = (['operator', 'service', 'person'] as const).find((kind) => callers.includes(kind))
      const session = (['visitor', 'console'] as const).find((kind) => callers.includes(kind))
      const isForm = headers['content-type']?.includes('form') === true
      return await fetch(urls.api + url, {
        method,
        redirect: 'manual',
        headers: {
          ...headers,
          ...(bearer && { authorization: `Bearer ${bearers[bearer]}` }),
          ...(!bearer && session && { cookie: sessions[session].cookie }),
          ...(isForm && { 'sec-fetch-site': 'same-origin' }),
        },
        ...(body !== undefined && { body: isForm && session ? `${body}&csrf=${sessions[session].csrf}` : body }),
      })
    },
  }
}

const cookieOf = ({ cookies }: Surfer): string => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
const csrfIn = (html: string): string => /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? ''

/** Finds a fault that no answer may have, whatever was sent. */
export async function faultOf({ statuses }: Input, answer: Response): Promise<string | undefined> {
  const text = await answer.text()
  if (answer.status >= 500) return `${answer.status}: ${text.slice(0, 300)}`
  if (!statuses.includes(String(answer.status))) return `${answer.status} is not described`
  const type = answer.headers.get('content-type') ?? ''
  if (type.includes('html') && text.includes(markup)) return 'the page holds the markup'
  if (/node_modules|^ {4}at /m.test(text)) return 'the answer shows a stack'
  if (answer.headers.getSetCookie().some((cookie) => cookie.startsWith('session='))) return 'a header was set'
  if (type.includes('json') && answer.status >= 400 && !type.includes('problem+json')) return `a fault is ${type}`
  return undefined
}
