/** Deletions: how they end, and every wait in which a release may find one. Each lasts for a quarter of a year. */
import { randomUUID } from 'node:crypto'
import { accountDeletionType, deletionStart } from '../../workflows/account-deletion.contract.ts'
import { signInEndedType, signInEndedWorkflowId } from '../../workflows/sign-in-ended.contract.ts'
import { always } from '../harness/checks/placements.ts'
import { deleteAccount } from '../harness/deletions.ts'
import type { Stage } from '../harness/product.ts'
import { until } from '../harness/until.ts'
import { orderSteps, type Scenario } from './scenario.ts'

export const accountDeletions: Record<string, Scenario> = {
  'account-deletion-complete': async (stage) => {
    const deletion = await erased(stage)
    await stage.sims.stripe.do('clock', { advanceSeconds: 92 * 86_400 })
    await deletion.fastForward('92 days')
    return orderSteps(stage).untilClosed(deletion.workflowId)
  },
  'account-deletion-left-to-an-operator': async (stage) => {
    const { deletion, orderId } = await erasedWhileHeld(stage)
    for (const days of ['25 hours', '3 days'] as const) {
      await stage.sims.stripe.do('fail-refund', { orderId })
      await deletion.fastForward(days)
    }
    await deletion.until('stripe', 'needs_operator')
    await stage.sims.stripe.do('clock', { advanceSeconds: 95 * 86_400 })
    await deletion.fastForward('95 days')
    return orderSteps(stage).untilClosed(deletion.workflowId)
  },
  'account-deletion-of-nobody': async (stage) => {
    const accountRef = stage.context.cipher.accountRef(randomUUID())
    const start = deletionStart({ accountRef, reason: 'requested' }, stage.config.TEMPORAL_TASK_QUEUE)
    const { workflowId } = await stage.temporal.workflow.start(accountDeletionType, start)
    return orderSteps(stage).untilClosed(workflowId)
  },
  'account-deletion-of-an-account-in-use': async (stage) => {
    const { accountId } = await stage.signUp()
    const accountRef = stage.context.cipher.accountRef(accountId)
    const start = deletionStart({ accountRef, reason: 'inactivity' }, stage.config.TEMPORAL_TASK_QUEUE)
    const { workflowId } = await stage.temporal.workflow.start(accountDeletionType, start)
    return orderSteps(stage).untilClosed(workflowId)
  },
  'account-deletion-waits-for-a-second-look': async (stage) => {
    const deletion = await erased(stage)
    for (const processor of ['stripe', 'firebase', 'mail'] as const) await deletion.until(processor, 'done')
    return deletion.workflowId
  },
  'account-deletion-waits-for-the-mail-server': async (stage) => {
    await orderSteps(stage).mailDown()
    const deletion = await erased(stage)
    await deletion.fastForward('1 hour')
    return deletion.workflowId
  },
  'account-deletion-waits-for-somebody-overdue': async (stage) => {
    await orderSteps(stage).mailDown()
    const deletion = await erased(stage)
    await deletion.fastForward('4 days')
    return deletion.workflowId
  },
  'account-deletion-waits-for-a-refund-to-settle': async (stage) => {
    const { deletion } = await erasedWhileHeld(stage)
    await deletion.fastForward('2 days')
    return deletion.workflowId
  },
  'account-deletion-waits-for-the-last-backup': async (stage) => {
    const deletion = await erased(stage)
    await deletion.fastForward('1 day')
    return deletion.workflowId
  },
  'account-deletion-waits-for-redaction': async (stage) => {
    const deletion = await erased(stage)
    await deletion.fastForward('31 days')
    return deletion.workflowId
  },
  'sign-in-ended-and-told': async (stage) => {
    const { eventId } = await consentRevoked(stage)
    return orderSteps(stage).untilClosed(signInEndedWorkflowId(eventId))
  },
  'sign-in-ended-and-linked-anew': async (stage) => {
    const { accountId } = await stage.signUp()
    const workflowId = signInEndedWorkflowId(randomUUID())
    await stage.temporal.workflow.start(signInEndedType, {
      workflowId,
      taskQueue: stage.config.TEMPORAL_TASK_QUEUE,
      args: [{ accountId, noticeId: randomUUID(), endedAt: new Date(0).toISOString() }],
    })
    return orderSteps(stage).untilClosed(workflowId)
  },
  'sign-in-ended-waits-for-the-mail-server': async (stage) => {
    await stage.sims.mailbox.do('rule', { code: 451, times: always })
    const { eventId, accountId } = await consentRevoked(stage)
    await until('the link is gone', async () => {
      const left = await stage.context.sql`select 1 from identities where account_id = ${accountId}`
      return left.length === 0
    })
    await until('the mail was tried', async () => {
      const [send] = await stage.context.sql`select 1 from sends where account_id = ${accountId} and state = 'due'`
      return send
    })
    return signInEndedWorkflowId(eventId)
  },
}

/** Somebody with an order delivered and one unpaid. */
async function erased(stage: Stage) {
  const person = await stage.signUp()
  await stage.buy(person, { order: { savedCards: true } })
  await stage.buy(person, { pay: false })
  return deleteAccount(stage.stack, person)
}

async function erasedWhileHeld(stage: Stage) {
  const person = await stage.signUp()
  const order = await stage.buy(person, { pay: { riskLevel: 'highest' }, until: 'in_review' })
  const deletion = await deleteAccount(stage.stack, person)
  await deletion.until('stripe', 'done')
  return { deletion, orderId: String(order.id) }
}

async function consentRevoked(stage: Stage): Promise<{ eventId: string; accountId: string }> {
  const { sub, idToken, code } = await stage.sims.apple.do<{ sub: string; idToken: string; code: string }>('sign-in')
  const apple = { identityToken: idToken, authorizationCode: code }
  const { accountId } = await stage.signUp({ account: { apple } })
  const { jti } = await stage.sims.apple.do<{ jti: string }>('notify', { type: 'consent-revoked', sub })
  await until('its run is there', async () => stage.temporal.workflow.getHandle(signInEndedWorkflowId(jti)).describe())
  return { eventId: jti, accountId }
}
