/** What pages of the console say at their edges: one, nothing, and what a person has written. */
import { expect, test } from 'vitest'
import { renderOrders } from '../../api/pages/console/orders/orders.tsx'
import { counted } from '../../api/pages/console/parts.tsx'
import { renderRequest } from '../../api/pages/console/privacy-requests/privacy-request.tsx'

const frame = {
  supportMail: 'help@ama-esim.example',
  csrf: 'token',
  label: 'Ada',
  ui: { url: undefined, namespace: 'default' },
}
const at = new Date('2026-11-30T10:00:00Z')

test('one is not counted as many', () => {
  expect([0, 1, 2].map((count) => counted(count, 'order'))).toEqual(['0 orders', '1 order', '2 orders'])
})

test('what a person has written keeps its lines and its direction, and is no table that scrolls', () => {
  const message = `${'long '.repeat(400)}\nשלום <b>you</b>`
  const request = {
    id: 'R',
    reference: 'PR-1',
    kind: 'access',
    state: 'received',
    accountId: null,
    receivedAt: at,
    answerBy: at,
    message,
    replyTo: null,
    answer: null,
    answerKind: null,
    isExtended: false,
  }
  const html = renderRequest(frame, { request })
  expect(html).toContain(
    `<p class="written" dir="auto">${message.replace('<b>', '&lt;b&gt;').replace('</b>', '&lt;/b&gt;')}</p>`,
  )
  expect(html).not.toContain('<pre>')
  expect(renderRequest(frame, { request: { ...request, state: 'answered' } })).toContain('Answered elsewhere.')
})

test('a queue without orders says so, and has no empty table', () => {
  const page = {
    asOf: at,
    status: 'in_review',
    counts: [],
    orders: [],
    next: null,
    inBulk: '/console/bulk-actions',
  } as const
  const nothing = { provider: '', currency: '', country: '', hours: '' }
  expect(renderOrders(frame, { ...page, filter: nothing })).toContain('No order waits for it.')
  const filtered = renderOrders(frame, { ...page, filter: { ...nothing, currency: 'EUR' } })
  expect([filtered.includes('No order waits for it that fits the filter.'), filtered.includes('<table')]).toEqual([
    true,
    false,
  ])
  expect(filtered).toMatch(/<option value="24">1 day<\/option>/)
  expect(filtered).not.toContain('/console/bulk-actions?')
})
