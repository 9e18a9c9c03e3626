/** What pages of the console say at their edges: one, nothing, and what a person has written. */
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { sentTime, timeAsTyped } from '../../api/http/storable.ts'
import { renderOrders } from '../../api/pages/console/orders/orders.tsx'
import { counted } from '../../api/pages/console/parts.tsx'
import { renderRequest } from '../../api/pages/console/privacy-requests/privacy-request.tsx'
import { TaskAbout } from '../../api/pages/console/task-subject.tsx'
import { Timeline } from '../../api/pages/console/timeline.tsx'
import { aboutDispute } from '../../api/routes/console/disputes.ts'
import { ofProviders } from '../../api/views/timeline/esim-entries.ts'
import type { Disputes } from '../../db/connection/schema.ts'

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

test('a time that an operator types becomes one in UTC, and what is none is refused as it was typed', () => {
  const typed = ['2026-11-29 07:00', '2026-11-29T07:00', '2026-11-29 07:00:30', '2026-11-29', '2026-11-29T07:00:00.5Z']
  expect(typed.map(timeAsTyped)).toEqual([
    '2026-11-29T07:00:00Z',
    '2026-11-29T07:00:00Z',
    '2026-11-29T07:00:30Z',
    '2026-11-29T00:00:00Z',
    '2026-11-29T07:00:00.5Z',
  ])
  expect(typed.map(timeAsTyped).every((time) => sentTime.safeParse(time).success)).toBe(true)
  for (const none of ['yesterday', '29.11.2026', '2026-13-40 07:00', '2026-11-29 7:00'])
    expect(sentTime.safeParse(timeAsTyped(none)).success, none).toBe(false)
})

test('a dispute says what the bank wants of us, until when, and what we have done', () => {
  const dispute: Disputes = {
    stripe_dispute_id: 'du_1',
    order_id: null,
    state: 'needs_response',
    opened_at: at,
    closed_at: null,
    amount_minor: 500,
    currency: 'EUR',
    reason: 'product_not_received',
    network_reason_code: null,
    due_by: new Date('2026-12-07T23:59:00Z'),
    submission_count: 0,
    past_due: false,
    has_evidence: true,
    evidence_staged_at: at,
    evidence_submitted_at: null,
    taken_back: false,
  }
  expect(aboutDispute(dispute)).toBe(
    '€5.00, product not received. The bank waits until 7 December 2026 at 23:59 UTC. The evidence is beside it, not submitted yet.',
  )
  expect(aboutDispute({ ...dispute, has_evidence: false, amount_minor: null })).toBe(
    'Product not received. The bank waits until 7 December 2026 at 23:59 UTC. There is no evidence beside it.',
  )
  expect(aboutDispute({ ...dispute, submission_count: 1 })).toContain('The evidence was submitted.')
  expect(aboutDispute({ ...dispute, closed_at: at, has_evidence: false })).toBe(
    '€5.00, product not received. Closed 30 November 2026 at 10:00 UTC.',
  )
})

test('a timeline has a column of runs only where they can be opened', () => {
  const entry = { at, source: 'order', actor: 'us', words: 'delivered', isFault: false, dayOnly: false } as const
  const entries = [{ ...entry, workflowId: 'order-1' }]
  const rendered = (url: string | undefined) =>
    renderToStaticMarkup(Timeline({ entries, operators: new Map(), ui: { url, namespace: 'default' } }))
  expect(rendered(undefined)).not.toContain('Run')
  expect(rendered('http://127.0.0.1:8233')).toMatch(/<th[^>]*>Run<\/th>[\s\S]*workflows\/order-1/)
})

test('an eSIM provider has its name in what happened to an order', () => {
  const names = ofProviders({
    placements: [
      {
        id: 'p',
        order_id: 'o',
        provider: 'esim-access',
        provider_package_code: 'CKH100',
        client_ref: 'r',
        provider_order_no: 'B1',
        state: 'provided',
        reason: null,
        placed_after: at,
        last_asked_at: at,
        expected_cost_micros: null,
        charged_micros: null,
        confirmed_at: at,
        returns_asked: [],
        return_asking_until: null,
      },
    ],
  }).map(({ actor, words }) => `${actor}: ${words}`)
  expect(names).toEqual(['us: asked eSIM Access for CKH100', 'eSIM Access: provided, number B1'])
})

test('a task says its facts in words, and none that is false or said already', () => {
  const task = {
    subjectId: 'du_1',
    detail: 'fraudulent',
    attributes: {
      amountMinor: 500,
      currency: 'EUR',
      reason: 'fraudulent',
      status: 'needs_response',
      orderId: 'order-1',
      pastDue: false,
      evidence: 'staged',
      submissionCount: 0,
    },
  }
  const owner = { orderId: 'order-1', requestId: null, accountId: null }
  const html = renderToStaticMarkup(TaskAbout({ task, owner }))
  expect(html.replaceAll(/<[^>]*>/g, '|')).toBe(
    '||du_1||: fraudulent|€5.00, status needs response, evidence staged, submission count 0',
  )
  expect(html).toContain('href="/console/orders/order-1"')
  expect(
    renderToStaticMarkup(TaskAbout({ task: { ...task, detail: 'expired_card', attributes: null }, owner })),
  ).toContain(': expired card')
})
