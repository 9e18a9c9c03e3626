/** Rules of a restore that need no stack. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultDataConverter } from '@temporalio/common'
import { expect, test } from 'vitest'
import { broughtBack, rebuiltColumns } from '../../cli/restore/columns.ts'
import { stepsDone } from '../../cli/restore/deletions.ts'
import { erasureIn } from '../../cli/restore/erasure-sources.ts'
import { makePartialRefundResult, orderInputs, orderResults, runInputs } from '../../cli/restore/history-forms.ts'
import { rankOf } from '../../cli/restore/orders/payments.ts'
import { checkOrderActivities } from '../../cli/restore/orders/run-reports.ts'
import { HistoryUnreadable, type RecordedActivity, readAs, readEvents } from '../../cli/restore/run-history.ts'
import { afterRestore, leftToOperators } from '../../cli/restore/run-types.ts'
import { afterLoss } from '../../cli/restore/tables.ts'
import type { ErasureStep } from '../../policy/deletion.ts'
import { personalData } from '../../policy/personal-data.ts'
import type { PaymentStatus } from '../../providers/stripe/payments.ts'
import * as workflows from '../../workflows/index.ts'
import { readKept } from '../replay/kept.ts'

test('a restore knows what becomes of each type of run', () => {
  expect(Object.keys(afterRestore).sort()).toEqual(Object.keys(workflows).sort())
  expect(leftToOperators).toEqual(
    expect.arrayContaining(['breach', 'campaign', 'emailChange', 'keyRotation', 'policyNotice', 'privacyRequest']),
  )
})

test('a restore knows what becomes of each table', () => {
  const known = Object.values(afterLoss).flatMap((tables) => Object.keys(tables))
  const tables = new Set(Object.keys(personalData).map((column) => column.slice(0, column.indexOf('.'))))
  expect(known.toSorted()).toEqual([...tables].toSorted())
})

test('docs/restore.md names each table of which something is lost for good, and no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/restore.md'), 'utf8')
  const [, section = ''] = /## What nobody can bring back\n(.*?)\n## /s.exec(text) ?? []
  const first = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|')[1] ?? '')
  const named = first.flatMap((cell) => cell.match(/\w+(?=`)/g) ?? [])
  expect(named.toSorted()).toEqual(Object.keys(afterLoss.undecided).toSorted())
})

const folder = join(import.meta.dirname, '../../cli/restore')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const namedIn = (text: string): string[] => text.match(/[\w/-]+\.ts/g) ?? []

test('what a restore says of tables and runs names files that are there, and for operator tasks all that raise them', () => {
  const ofRuns = Object.values(afterRestore).map((entry) => (entry.outcome === 'rebuild' ? entry.by : ''))
  const ofTables = Object.values(afterLoss).flatMap((tables) => Object.values(tables))
  expect(files).toEqual(expect.arrayContaining([...ofRuns, ...ofTables].flatMap(namedIn)))
  const raising = files.filter((file) => readFileSync(join(folder, file), 'utf8').includes('raiseOperatorTask('))
  expect(namedIn(afterLoss.rebuilt.attention ?? '').toSorted()).toEqual(raising.toSorted())
})

test('of several payments of an order the paid one is its own, and a cancelled one only when there is no other', () => {
  const statuses: PaymentStatus[] = ['canceled', 'requires_payment_method', 'processing', 'succeeded']
  const ranks = statuses.map((status) => rankOf({ status }))
  expect(ranks).toEqual(ranks.toSorted())
  expect(new Set(ranks).size).toBe(statuses.length)
  expect(rankOf({ status: 'requires_action' })).toBe(rankOf({ status: 'requires_payment_method' }))
})

const at = new Date('2026-11-29T12:00:00Z')
const completed = (type: string, result?: unknown, input: RecordedActivity['input'] = {}): RecordedActivity => ({
  type,
  input,
  at,
  completed: { result },
})
const outcomes = (...activities: RecordedActivity[]) =>
  stepsDone(activities).map(({ processor, state, code }) => [processor, state, ...(code ? [code] : [])])

test.each<[ErasureStep, string]>([
  ['database', 'verifyErasure'],
  ['temporal', 'deleteRuns'],
  ['apple', 'revokeApple'],
  ['google', 'revokeGoogle'],
  ['firebase', 'deleteFirebaseUser'],
  ['stripe', 'deleteStripeCustomer'],
  ['esim_provider', 'releaseProviderOrders'],
  ['mail', 'sendFarewell'],
  ['backups', 'noteBackupsGone'],
  ['stripe_redaction', 'redactAtStripe'],
])('G3: what a deletion’s run has done of the step %s counts after a restore', (step, activity) => {
  expect(outcomes(completed(activity, { state: 'done', code: 'already_gone' }))).toEqual([
    [step, 'done', 'already_gone'],
  ])
  expect(outcomes({ ...completed(activity), completed: undefined })).toEqual([])
  expect(outcomes({ ...completed(activity), completed: undefined, failed: { code: 'refused' } })).toEqual([
    [step, 'needs_operator', 'refused'],
  ])
  // Earlier builds have not written the outcome into the history. Some steps may have ended in several ways.
  const isOneOfSeveral = ['apple', 'stripe', 'stripe_redaction'].includes(step)
  expect(outcomes(completed(activity))).toEqual([
    isOneOfSeveral ? [step, 'needs_operator', 'receipt_lost'] : [step, 'done'],
  ])
})

test('G3: the first of two looks at the database, and a payment that only an operator can refund, are no steps that are done', () => {
  expect(outcomes(completed('verifyErasure', { state: 'pending' }, { final: false }))).toEqual([])
  expect(outcomes(completed('deleteRuns', undefined, { final: false }))).toEqual([])
  const customer = completed('deleteStripeCustomer', { state: 'done' })
  expect(outcomes(completed('settlePayments', { watch: true }), customer)).toEqual([['stripe', 'done']])
  const bounced = completed('settlePayments', { watch: true, trouble: 'refund_bounced' })
  expect(outcomes(customer, bounced)).toEqual([['stripe', 'needs_operator', 'refund_bounced']])
  expect(outcomes(customer, bounced, completed('settlePayments', { watch: false }))).toEqual([['stripe', 'done']])
  const left = completed('leaveToOperator', { processor: 'google', state: 'needs_operator', code: 'unknown' })
  expect(outcomes({ ...left, input: undefined })).toEqual([['google', 'needs_operator', 'unknown']])
})

test('a restore can read all kept histories of orders, partial refunds, deletions and sign-ins', async () => {
  const kept = await readKept(({ workflowType }) => Object.hasOwn(runInputs, workflowType))
  const read = new Map<string, number>()
  for (const { workflowType, history } of kept) {
    const run = await readEvents(history.events ?? [], defaultDataConverter)
    const input = Object.entries(runInputs).find(([type]) => type === workflowType)?.[1]
    if (input) readAs(input, run.input)
    if (workflowType.startsWith('order')) checkOrderActivities(run.activities)
    if (workflowType === 'accountDeletion') stepsDone(run.activities)
    erasureIn(run)
    for (const { type, completed } of run.activities) {
      if (!completed) continue
      read.set(type, (read.get(type) ?? 0) + 1)
      if (type === 'makePartialRefund') readAs(makePartialRefundResult, completed.result)
    }
  }
  const known = [...Object.keys(orderResults), 'makePartialRefund', 'eraseAccount', 'settlePayments', 'leaveToOperator']
  expect(known.filter((type) => !read.has(type))).toEqual([])
})

test.each(Object.keys(orderResults))(
  'an order’s history is unreadable when %s has answered in another form',
  (type) => {
    expect(() => checkOrderActivities([completed(type, 7, validInputs[type])])).toThrow(HistoryUnreadable)
    expect(() => checkOrderActivities([completed(type, { of: 'another program' }, validInputs[type])])).toThrow(
      HistoryUnreadable,
    )
    expect(() =>
      checkOrderActivities([{ ...completed(type, 7, validInputs[type]), completed: undefined }]),
    ).not.toThrow()
  },
)

const validInputs: Record<string, RecordedActivity['input']> = {
  openCheckout: { paymentDueAt: at.toISOString() },
  cancelPayment: { status: 'unpaid', reason: 'not_paid_in_time' },
  recordRefundFailure: { code: 'charge_disputed' },
}

test.each([
  ['openCheckout', { paymentDueAt: 'tomorrow' }],
  ['cancelPayment', { status: 'delivered', reason: 'not_paid_in_time' }],
  ['recordRefundFailure', { code: null }],
] as const)('an order’s history is unreadable when %s was given %o', (type, input) => {
  expect(Object.keys(validInputs)).toEqual(Object.keys(orderInputs))
  const given = (value: RecordedActivity['input']) => () =>
    checkOrderActivities([{ ...completed(type, undefined, value), completed: undefined }])
  expect(given(validInputs[type])).not.toThrow()
  expect(given({ ...validInputs[type], ...input })).toThrow(HistoryUnreadable)
})

test.each([
  ['an erasure without its receipt', { erasedAt: at.toISOString(), backupsGoneBy: at.toISOString(), pending: [] }],
  ['an erasure step that nobody knows', { receiptId: 'one', erasedAt: '', backupsGoneBy: '', pending: ['a pigeon'] }],
  ['a refusal that nobody knows', 'later'],
])('G3: %s makes a deletion’s history unreadable', (_what, result) => {
  const history = { input: {}, activities: [completed('eraseAccount', result)], failedWith: undefined }
  expect(() => erasureIn(history)).toThrow(HistoryUnreadable)
})

test.each(['in_use', null])('G3: a deletion that has answered %s has erased nobody', (result) => {
  const history = { input: {}, activities: [completed('eraseAccount', result)], failedWith: undefined }
  expect(erasureIn(history)).toBeUndefined()
})

test.each([
  ['revokeApple', { state: 'half done' }],
  ['settlePayments', { watch: 'closely' }],
  ['leaveToOperator', { processor: 'a pigeon', state: 'done' }],
])('G3: an answer of %s in another form makes a deletion’s history unreadable', (type, result) => {
  expect(() => stepsDone([completed(type, result)])).toThrow(HistoryUnreadable)
})

test('what a restore does not bring back of a row that it rebuilds has a reason', () => {
  for (const [table, columns] of Object.entries(rebuiltColumns)) {
    expect(afterLoss.rebuilt, table).toHaveProperty(table)
    const lost = Object.values<string>(columns).filter((source) => source.startsWith('lost'))
    for (const source of lost) expect(source.length, source).toBeGreaterThan('lost: '.length + 20)
  }
  expect(broughtBack('refunds', { created_at: new Date(), credit_note: 'AMA-CN-2026-000001' })).toEqual({
    created_at: true,
    credit_note: 'AMA-CN-2026-000001',
  })
  expect(broughtBack('orders', { fact_id: 'random', request_hash: null, quantity: 2 })).toEqual({ quantity: 2 })
})
