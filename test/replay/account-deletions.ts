/** Scenarios of deletions: every end, and every wait in which a new build may find one. A deletion takes 90 days. */
import { randomUUID } from 'node:crypto'
import { accountDeletionType, deletionStart } from '../../workflows/account-deletion.contract.ts'
import { signInEndedType, signInEndedWorkflowId } from '../../workflows/sign-in-ended.contract.ts'
import { always } from '../harness/checks/placements.ts'
import { deleteAccount } from '../harness/deletions.ts'
import type { Product } from '../harness/product.ts'
import { until } from '../harness/until.ts'
import { orderSteps, type Scenario } from './scenario.ts'

export const accountDeletions: Record<string, Scenario> = {
  'account-deletion-complete': async (product) => {
    const deletion = await erased(product)
    await product.sims.stripe.do('clock', { advanceSeconds: 92 * 86_400 })
    await deletion.fastForward('92 days')
    return orderSteps(product).untilClosed(deletion.workflowId)
  },
  'account-deletion-left-to-an-operator': async (product) => {
    const { deletion, orderId } = await erasedWhileHeld(product)
    for (const days of ['25 hours', '3 days'] as const) {
      await product.sims.stripe.do('fail-refund', { orderId })
      await deletion.fastForward(days)
    }
    await deletion.until('stripe', 'needs_operator')
    await product.sims.stripe.do('clock', { advanceSeconds: 95 * 86_400 })
    await deletion.fastForward('95 days')
    return orderSteps(product).untilClosed(deletion.workflowId)
  },
  'account-deletion-of-nobody': async (product) => {
    const accountRef = product.context.cipher.accountRef(randomUUID())
    const start = deletionStart({ accountRef, reason: 'requested' }, product.config.TEMPORAL_TASK_QUEUE)
    const { workflowId } = await product.temporal.workflow.start(accountDeletionType, start)
    return orderSteps(product).untilClosed(workflowId)
  },
  'account-deletion-of-an-account-in-use': async (product) => {
    const { accountId } = await product.signUp()
    const accountRef = product.context.cipher.accountRef(accountId)
    const start = deletionStart({ accountRef, reason: 'inactivity' }, product.config.TEMPORAL_TASK_QUEUE)
    const { workflowId } = await product.temporal.workflow.start(accountDeletionType, start)
    return orderSteps(product).untilClosed(workflowId)
  },
  'account-deletion-waits-for-a-second-look': async (product) => {
    const deletion = await erased(product)
    for (const processor of ['stripe', 'firebase', 'mail'] as const) await deletion.until(processor, 'done')
    return deletion.workflowId
  },
  'account-deletion-waits-for-the-mail-server': async (product) => {
    await orderSteps(product).mailDown()
    const deletion = await erased(product)
    await deletion.fastForward('1 hour')
    return deletion.workflowId
  },
  'account-deletion-waits-for-somebody-overdue': async (product) => {
    await orderSteps(product).mailDown()
    const deletion = await erased(product)
    await deletion.fastForward('4 days')
    return deletion.workflowId
  },
  'account-deletion-waits-for-a-refund-to-settle': async (product) => {
    const { deletion } = await erasedWhileHeld(product)
    await deletion.fastForward('2 days')
    return deletion.workflowId
  },
  'account-deletion-waits-for-the-last-backup': async (product) => {
    const deletion = await erased(product)
    await deletion.fastForward('1 day')
    return deletion.workflowId
  },
  'account-deletion-waits-for-redaction': async (product) => {
    const deletion = await erased(product)
    await deletion.fastForward('31 days')
    return deletion.workflowId
  },
  'sign-in-ended-and-told': async (product) => {
    const { eventId } = await consentRevoked(product)
    return orderSteps(product).untilClosed(signInEndedWorkflowId(eventId))
  },
  'sign-in-ended-and-linked-anew': async (product) => {
    const { accountId } = await product.signUp()
    const workflowId = signInEndedWorkflowId(randomUUID())
    await product.temporal.workflow.start(signInEndedType, {
      workflowId,
      taskQueue: product.config.TEMPORAL_TASK_QUEUE,
      args: [{ accountId, noticeId: randomUUID(), endedAt: new Date(0).toISOString() }],
    })
    return orderSteps(product).untilClosed(workflowId)
  },
  'sign-in-ended-waits-for-the-mail-server': async (product) => {
    await product.sims.mailbox.do('rule', { code: 451, times: always })
    const { eventId, accountId } = await consentRevoked(product)
    await until('the link is gone', async () => {
      const left = await product.context.sql`select 1 from identities where account_id = ${accountId}`
      return left.length === 0
    })
    await until('the mail was tried', async () => {
      const [send] = await product.context.sql`select 1 from sends where account_id = ${accountId} and state = 'due'`
      return send
    })
    return signInEndedWorkflowId(eventId)
  },
}

/** A person with a delivered and an unpaid order. */
async function erased(product: Product) {
  const person = await product.signUp()
  await product.buy(person, { order: { savedCards: true } })
  await product.buy(person, { pay: false })
  return deleteAccount(product.stack, person)
}

async function erasedWhileHeld(product: Product) {
  const person = await product.signUp()
  const order = await product.buy(person, { pay: { riskLevel: 'highest' }, until: 'in_review' })
  const deletion = await deleteAccount(product.stack, person)
  await deletion.until('stripe', 'done')
  return { deletion, orderId: String(order.id) }
}

async function consentRevoked(product: Product): Promise<{ eventId: string; accountId: string }> {
  const { sub, idToken, code } = await product.sims.apple.do('sign-in')
  const apple = { identityToken: idToken, authorizationCode: code }
  const { accountId } = await product.signUp({ account: { apple } })
  const { jti } = await product.sims.apple.do('notify', { type: 'consent-revoked', sub })
  await until('its run is there', async () =>
    product.temporal.workflow.getHandle(signInEndedWorkflowId(jti)).describe(),
  )
  return { eventId: jti, accountId }
}
