/** Scenarios of unused accounts, kept for three years, and of the books, kept for seven. */
import { randomUUID } from 'node:crypto'
import { plusDays, plusYears } from '../../shared/calendar.ts'
import { accountInactivityType, inactivityWorkflowId } from '../../workflows/retention/account-inactivity.contract.ts'
import {
  invoiceRetentionType,
  invoiceRetentionWorkflowId,
} from '../../workflows/retention/invoice-retention.contract.ts'
import { expectStatus } from '../harness/http.ts'
import { loseAccount } from '../harness/lost.ts'
import type { Product } from '../harness/product.ts'
import { runSteps, type Scenario } from './scenario.ts'

export const accountInactivities: Record<string, Scenario> = {
  'account-inactivity-warned-and-erased': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    return untilClosed(await forward((await unused(product)).workflowId, '62 days'))
  },
  'account-inactivity-came-back': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    const { workflowId, accountId } = await unused(product)
    await forward(workflowId, '40 days')
    expectStatus(await product.service.post(`/v1/accounts/${accountId}/sign-ins`, {}), 200)
    return untilClosed(await forward(workflowId, '20 days'))
  },
  'account-inactivity-of-somebody-erased-meanwhile': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    const { workflowId, accountId } = await unused(product)
    await forward(workflowId, '2 days')
    await loseAccount(product.context.sql, accountId)
    return untilClosed(await forward(workflowId, '30 days'))
  },
  'account-inactivity-of-nobody': async (product) => {
    const { start, untilClosed } = runSteps(product)
    return untilClosed(await start(accountInactivityType, [{ accountId: randomUUID() }]))
  },
  'account-inactivity-taken-over-from-a-lost-run': async (product) => {
    const { start, forward, untilClosed } = runSteps(product)
    const { workflowId, accountId } = await unused(product)
    await forward(workflowId, '32 days')
    await product.temporal.workflow.getHandle(workflowId).terminate('lost')
    const takingOver = await start(accountInactivityType, [{ accountId }])
    return untilClosed(await forward(takingOver, '62 days'))
  },
  'account-inactivity-warned-late': async (product) => {
    const { forward, mailDown, mailUp, untilClosed } = runSteps(product)
    await mailDown()
    const { workflowId } = await unused(product)
    await forward(workflowId, '8 days')
    await mailUp()
    await forward(workflowId, '5 hours')
    await mailDown()
    await forward(workflowId, '54 days')
    await mailUp()
    return untilClosed(await forward(workflowId, '10 days'))
  },
  'account-inactivity-waits-for-the-first-warning': async (product) => {
    const { start, forward } = runSteps(product)
    const { accountId } = await lastUsed(product, plusYears(plusDays(new Date(), 62), -3))
    const workflowId = await start(accountInactivityType, [{ accountId }], inactivityWorkflowId(accountId))
    return forward(workflowId, '1 minute')
  },
  'account-inactivity-waits-for-the-mail-server': async (product) => {
    const { forward, mailDown } = runSteps(product)
    await mailDown()
    return forward((await unused(product)).workflowId, '2 days')
  },
  'account-inactivity-waits-for-the-second-warning': async (product) =>
    runSteps(product).forward((await unused(product)).workflowId, '2 days'),
  'account-inactivity-waits-for-the-last-warning': async (product) =>
    runSteps(product).forward((await unused(product)).workflowId, '40 days'),
  'account-inactivity-waits-for-the-deletion': async (product) =>
    runSteps(product).forward((await unused(product)).workflowId, '58 days'),
}

export const invoiceRetentions: Record<string, Scenario> = {
  'invoice-retention-purged': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    return untilClosed(await forward(await booksOf(product, '2031-05', ['2031-05-02', '2031-05-30']), untilPurged))
  },
  'invoice-retention-held-and-let-go': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    const workflowId = await forward(await heldBooks(product, '2031-06'), untilPurged)
    expectStatus(await product.operator.delete('/v1/books/2031-06/hold'), 204)
    return untilClosed(workflowId)
  },
  'invoice-retention-of-an-empty-month': async (product) => {
    const { start, untilClosed } = runSteps(product)
    return untilClosed(await start(invoiceRetentionType, [{ month: '2001-01' }]))
  },
  'invoice-retention-waits-for-the-end-of-the-term': async (product) => {
    return runSteps(product).untilIt(await booksOf(product, '2031-07', ['2031-07-02']), 'keeping')
  },
  'invoice-retention-waits-for-the-month-to-be-let-go': async (product) => {
    const { forward, untilIt } = runSteps(product)
    return untilIt(await forward(await heldBooks(product, '2031-08'), untilPurged), 'held')
  },
  'invoice-retention-waits-for-another-try': async (product) => {
    const { forward } = runSteps(product)
    const { sql } = product.context
    await sql`create rule nothing_goes as on delete to order_facts do instead nothing`
    const workflowId = await forward(await booksOf(product, '2031-09', ['2031-09-02']), untilPurged)
    await sql`drop rule nothing_goes on order_facts`
    return workflowId
  },
}

/** Longer than the period of these books, whichever day it counts from. */
const untilPurged = Date.parse('2039-01-03') - Date.now()

async function lastUsed(product: Product, at: Date): Promise<{ accountId: string }> {
  const { accountId } = await product.signUp()
  await product.context.sql`update accounts set last_active_at = ${at} where id = ${accountId}`
  return { accountId }
}

/** A person whose first warning is due within a day. */
async function unused(product: Product): Promise<{ accountId: string; workflowId: string }> {
  const { accountId } = await lastUsed(product, plusYears(plusDays(new Date(), 60.5), -3))
  const workflowId = inactivityWorkflowId(accountId)
  await runSteps(product).start(accountInactivityType, [{ accountId }], workflowId)
  return { accountId, workflowId }
}

/** The run of a month that has order facts on each of these days. */
async function booksOf(product: Product, month: string, days: string[]): Promise<string> {
  for (const day of days) {
    await product.context.sql`
      insert into order_facts (id, paid_on, package_name, destination, quantity, gross_minor, currency, outcome)
      values (${randomUUID()}, ${day}, 'Package', 'DE', 1, 500, 'EUR', 'delivered')`
  }
  return runSteps(product).start(invoiceRetentionType, [{ month }], invoiceRetentionWorkflowId(month))
}

async function heldBooks(product: Product, month: string): Promise<string> {
  const workflowId = await booksOf(product, month, [`${month}-02`])
  await runSteps(product).untilIt(workflowId, 'keeping')
  expectStatus(await product.operator.put(`/v1/books/${month}/hold`, { reason: 'tax audit' }), 204)
  return workflowId
}
