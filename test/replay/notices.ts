/** Scenarios of policy notices and campaigns. */
import { randomUUID } from 'node:crypto'
import { plusDays, startOfDay } from '../../shared/calendar.ts'
import { campaignType, campaignWorkflowId } from '../../workflows/campaign.contract.ts'
import { policyNoticeType, policyNoticeWorkflowId } from '../../workflows/policy-notice.contract.ts'
import { insertAccounts } from '../harness/bystanders.ts'
import { always } from '../harness/checks/placements.ts'
import { expectStatus } from '../harness/http.ts'
import type { Product } from '../harness/product.ts'
import { until } from '../harness/until.ts'
import { runSteps, type Scenario } from './scenario.ts'

export const policyNotices: Record<string, Scenario> = {
  'policy-notice-in-force': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    return untilClosed(await forward(await posted(product), '34 days'))
  },
  'policy-notice-of-wording': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    const effectiveAt = new Date(Date.now() + 3_600_000).toISOString()
    return untilClosed(await forward(await posted(product, { material: false, changes: [], effectiveAt }), '2 hours'))
  },
  'policy-notice-moved-to-a-later-day': async (product) => {
    const { forward, mailUp, untilClosed } = runSteps(product)
    const workflowId = await postedWithoutMail(product)
    await forward(workflowId, '3 days')
    await mailUp()
    await forward(workflowId, '2 days')
    return untilClosed(await forward(workflowId, '40 days'))
  },
  'policy-notice-that-mail-never-reached': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    const { email } = await product.signUp()
    await product.sims.mailbox.do('rule', { recipient: email, code: 451, times: always })
    const workflowId = await posted(product)
    await forward(workflowId, '6 days')
    return untilClosed(await forward(workflowId, '40 days'))
  },
  'policy-notice-withdrawn': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    const workflowId = await forward(await posted(product), '10 days')
    await withdrawn(product, workflowId)
    return untilClosed(workflowId)
  },
  'policy-notice-withdrawn-while-it-is-told': async (product) => {
    const { forward, mailUp, untilClosed } = runSteps(product)
    const workflowId = await postedWithoutMail(product)
    await forward(workflowId, '10 minutes')
    await mailUp()
    await withdrawn(product, workflowId)
    return untilClosed(workflowId)
  },
  'policy-notice-that-another-one-forbids': async (product) => {
    await posted(product)
    const body = draft()
    const refused = await product.operator.post('/v1/policies', body)
    if (refused.status !== 409) throw new Error(`expected 409, got ${refused.status}`)
    return runSteps(product).untilClosed(policyNoticeWorkflowId(body.version))
  },
  'policy-notice-carried-on': async (product) => {
    const { start, forward, untilClosed, untilIt } = runSteps(product)
    const workflowId = await untilIt(await posted(product), 'waiting')
    await product.temporal.workflow.getHandle(workflowId).terminate('the scenario needs its place')
    const mailing = { notice: 'announced', pass: 1, page: 0, pages: 1 }
    await start(policyNoticeType, [{ version: versionOf(workflowId), mailing }], workflowId)
    return untilClosed(await forward(workflowId, '34 days'))
  },
  'policy-notice-waits-for-its-day': async (product) => runSteps(product).untilIt(await posted(product), 'waiting'),
  'policy-notice-waits-for-the-mail-server': async (product) =>
    runSteps(product).forward(await postedWithoutMail(product), '1 hour'),
}

const versionOf = (workflowId: string): string => workflowId.slice(policyNoticeWorkflowId('').length)

const draft = (over: Record<string, unknown> = {}) => ({
  version: `v-${randomUUID().slice(0, 8)}`,
  title: 'Privacy policy',
  text: 'As before.',
  changes: ['One thing less.'],
  effectiveAt: plusDays(startOfDay(new Date()), 33).toISOString(),
  material: true,
  ...over,
})

async function posted(product: Product, over: Record<string, unknown> = {}): Promise<string> {
  await withdrawComing(product)
  const { version } = expectStatus(await product.operator.post('/v1/policies', draft(over)), 201)
  return policyNoticeWorkflowId(version)
}

async function postedWithoutMail(product: Product): Promise<string> {
  await withdrawComing(product)
  await runSteps(product).mailDown()
  return posted(product)
}

/** Withdraws the version of another scenario, because one is announced at a time. */
async function withdrawComing(product: Product): Promise<void> {
  const { items } = expectStatus(await product.anonymous.get('/v1/policies'), 200)
  for (const { version, state } of items) {
    if (state === 'coming')
      await runSteps(product).untilClosed(await withdrawn(product, policyNoticeWorkflowId(version)))
  }
}

async function withdrawn(product: Product, workflowId: string): Promise<string> {
  expectStatus(await product.operator.post(`/v1/policies/${versionOf(workflowId)}/withdraw`), 200)
  return workflowId
}

export const campaigns: Record<string, Scenario> = {
  'campaign-done': async (product) => runSteps(product).untilClosed((await launched(product)).workflowId),
  'campaign-paused-and-resumed': async (product) => {
    await slowMail(product)
    const { workflowId, act } = await launched(product)
    await act('pause')
    await act('resume')
    return runSteps(product).untilClosed(workflowId)
  },
  'campaign-cancelled': async (product) => {
    await slowMail(product)
    const { workflowId, act } = await launched(product)
    await act('cancel')
    return runSteps(product).untilClosed(workflowId)
  },
  'campaign-stuck-and-cancelled': async (product) => {
    const { forward, mailDown, untilClosed, untilIt } = runSteps(product)
    await mailDown()
    const { workflowId, act } = await launched(product)
    await untilIt(await forward(workflowId, '4 days'), 'paused')
    await act('cancel')
    return untilClosed(workflowId)
  },
  'campaign-carried-on': async (product) => {
    const { start, untilClosed } = runSteps(product)
    await slowMail(product)
    const { campaignId, workflowId, act } = await launched(product)
    await act('pause')
    await product.temporal.workflow.getHandle(workflowId).terminate('the scenario needs its place')
    await product.context.sql`update campaigns set state = 'sending' where id = ${campaignId}`
    const progress = { page: 1, pages: 3, lookedAt: 20, sent: 20, paused: false }
    return untilClosed(await start(campaignType, [{ campaignId, progress }], workflowId))
  },
  'campaign-from-a-draft': async (product) => runSteps(product).untilClosed((await launched(product)).workflowId),
  'campaign-of-a-draft-that-was-dropped': async (product) => {
    const { start, untilClosed } = runSteps(product)
    return untilClosed(await start(campaignType, [{ campaignId: randomUUID(), draft: true }]))
  },
  'campaign-waits-for-the-mail-server': async (product) => {
    const { forward, mailDown } = runSteps(product)
    await mailDown()
    return forward((await launched(product)).workflowId, '1 hour')
  },
  'campaign-waits-for-an-operator': async (product) => {
    await slowMail(product)
    const { workflowId, act } = await launched(product)
    await act('pause')
    return workflowId
  },
}

const slowMail = ({ sims }: Product) => sims.mailbox.do('rule', { recipient: '@people.example', delayMs: 60 })

/** A campaign to twenty people who opted in, and to none of an earlier campaign. */
async function launched(product: Product) {
  await product.context.sql`update accounts set promotions = false`
  await insertAccounts(product.context, 20, { promotions: true })
  const body = { subject: 'An offer', paragraphs: ['Ten percent off.'] }
  const { id } = expectStatus(await product.operator.post('/v1/campaigns', body), 201)
  const read = async () => expectStatus(await product.operator.get(`/v1/campaigns/${id}`), 200)
  return {
    campaignId: String(id),
    workflowId: campaignWorkflowId(id),
    async act(what: 'pause' | 'resume' | 'cancel'): Promise<void> {
      if (what === 'pause') await until('it has begun', async () => (await read()).deliveries.sent > 0)
      expectStatus(await product.operator.post(`/v1/campaigns/${id}/${what}`), 200)
    },
  }
}
