/** What everybody is told: changes of the policy, and promotions. */
import { randomUUID } from 'node:crypto'
import { plusDays, startOfDay } from '../../shared/calendar.ts'
import { campaignType, campaignWorkflowId } from '../../workflows/campaign.contract.ts'
import { policyNoticeType, policyNoticeWorkflowId } from '../../workflows/policy-notice.contract.ts'
import { insertAccounts } from '../harness/bystanders.ts'
import { always } from '../harness/checks/placements.ts'
import { expectStatus } from '../harness/http.ts'
import type { Stage } from '../harness/product.ts'
import { until } from '../harness/until.ts'
import { runSteps, type Scenario } from './scenario.ts'

export const policyNotices: Record<string, Scenario> = {
  'policy-notice-in-force': async (stage) => {
    const { forward, untilClosed } = runSteps(stage)
    return untilClosed(await forward(await posted(stage), '34 days'))
  },
  'policy-notice-of-wording': async (stage) => {
    const { forward, untilClosed } = runSteps(stage)
    const effectiveAt = new Date(Date.now() + 3_600_000).toISOString()
    return untilClosed(await forward(await posted(stage, { material: false, changes: [], effectiveAt }), '2 hours'))
  },
  'policy-notice-moved-to-a-later-day': async (stage) => {
    const { forward, mailUp, untilClosed } = runSteps(stage)
    const workflowId = await postedWithoutMail(stage)
    await forward(workflowId, '3 days')
    await mailUp()
    await forward(workflowId, '2 days')
    return untilClosed(await forward(workflowId, '40 days'))
  },
  'policy-notice-that-mail-never-reached': async (stage) => {
    const { forward, untilClosed } = runSteps(stage)
    const { email } = await stage.signUp()
    await stage.sims.mailbox.do('rule', { recipient: email, code: 451, times: always })
    const workflowId = await posted(stage)
    await forward(workflowId, '6 days')
    return untilClosed(await forward(workflowId, '40 days'))
  },
  'policy-notice-withdrawn': async (stage) => {
    const { forward, untilClosed } = runSteps(stage)
    const workflowId = await forward(await posted(stage), '10 days')
    await withdrawn(stage, workflowId)
    return untilClosed(workflowId)
  },
  'policy-notice-withdrawn-while-it-is-told': async (stage) => {
    const { forward, mailUp, untilClosed } = runSteps(stage)
    const workflowId = await postedWithoutMail(stage)
    await forward(workflowId, '10 minutes')
    await mailUp()
    await withdrawn(stage, workflowId)
    return untilClosed(workflowId)
  },
  'policy-notice-that-another-one-forbids': async (stage) => {
    await posted(stage)
    const body = draft()
    const refused = await stage.operator.post('/v1/policies', body)
    if (refused.status !== 409) throw new Error(`expected 409, got ${refused.status}`)
    return runSteps(stage).untilClosed(policyNoticeWorkflowId(body.version))
  },
  'policy-notice-carried-on': async (stage) => {
    const { start, forward, untilClosed, untilIt } = runSteps(stage)
    const workflowId = await untilIt(await posted(stage), 'waiting')
    await stage.temporal.workflow.getHandle(workflowId).terminate('the scenario needs its place')
    const mailing = { notice: 'announced', pass: 1, page: 0, pages: 1 }
    await start(policyNoticeType, [{ version: versionOf(workflowId), mailing }], workflowId)
    return untilClosed(await forward(workflowId, '34 days'))
  },
  'policy-notice-waits-for-its-day': async (stage) => runSteps(stage).untilIt(await posted(stage), 'waiting'),
  'policy-notice-waits-for-the-mail-server': async (stage) =>
    runSteps(stage).forward(await postedWithoutMail(stage), '1 hour'),
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

async function posted(stage: Stage, over: Record<string, unknown> = {}): Promise<string> {
  await withdrawComing(stage)
  const { version } = expectStatus(await stage.operator.post('/v1/policies', draft(over)), 201)
  return policyNoticeWorkflowId(version)
}

async function postedWithoutMail(stage: Stage): Promise<string> {
  await withdrawComing(stage)
  await runSteps(stage).mailDown()
  return posted(stage)
}

/** There is one at a time, and another scenario may have left one waiting. */
async function withdrawComing(stage: Stage): Promise<void> {
  const { items } = expectStatus(await stage.anonymous.get('/v1/policies'), 200)
  for (const { version, state } of items) {
    if (state === 'coming') await runSteps(stage).untilClosed(await withdrawn(stage, policyNoticeWorkflowId(version)))
  }
}

async function withdrawn(stage: Stage, workflowId: string): Promise<string> {
  expectStatus(await stage.operator.post(`/v1/policies/${versionOf(workflowId)}/withdraw`), 200)
  return workflowId
}

export const campaigns: Record<string, Scenario> = {
  'campaign-done': async (stage) => runSteps(stage).untilClosed((await launched(stage)).workflowId),
  'campaign-paused-and-resumed': async (stage) => {
    await slowMail(stage)
    const { workflowId, act } = await launched(stage)
    await act('pause')
    await act('resume')
    return runSteps(stage).untilClosed(workflowId)
  },
  'campaign-cancelled': async (stage) => {
    await slowMail(stage)
    const { workflowId, act } = await launched(stage)
    await act('cancel')
    return runSteps(stage).untilClosed(workflowId)
  },
  'campaign-stuck-and-cancelled': async (stage) => {
    const { forward, mailDown, untilClosed, untilIt } = runSteps(stage)
    await mailDown()
    const { workflowId, act } = await launched(stage)
    await untilIt(await forward(workflowId, '4 days'), 'paused')
    await act('cancel')
    return untilClosed(workflowId)
  },
  'campaign-carried-on': async (stage) => {
    const { start, untilClosed } = runSteps(stage)
    await slowMail(stage)
    const { campaignId, workflowId, act } = await launched(stage)
    await act('pause')
    await stage.temporal.workflow.getHandle(workflowId).terminate('the scenario needs its place')
    await stage.context.sql`update campaigns set state = 'sending' where id = ${campaignId}`
    const progress = { page: 1, pages: 3, lookedAt: 20, sent: 20, paused: false }
    return untilClosed(await start(campaignType, [{ campaignId, progress }], workflowId))
  },
  'campaign-from-a-draft': async (stage) => runSteps(stage).untilClosed((await launched(stage)).workflowId),
  'campaign-of-a-draft-that-was-dropped': async (stage) => {
    const { start, untilClosed } = runSteps(stage)
    return untilClosed(await start(campaignType, [{ campaignId: randomUUID(), draft: true }]))
  },
  'campaign-waits-for-the-mail-server': async (stage) => {
    const { forward, mailDown } = runSteps(stage)
    await mailDown()
    return forward((await launched(stage)).workflowId, '1 hour')
  },
  'campaign-waits-for-an-operator': async (stage) => {
    await slowMail(stage)
    const { workflowId, act } = await launched(stage)
    await act('pause')
    return workflowId
  },
}

const slowMail = ({ sims }: Stage) => sims.mailbox.do('rule', { recipient: '@people.example', delayMs: 60 })

/** To twenty people who want it, and to nobody of an earlier one. */
async function launched(stage: Stage) {
  await stage.context.sql`update accounts set promotions = false`
  await insertAccounts(stage.context, 20, { promotions: true })
  const body = { subject: 'An offer', paragraphs: ['Ten percent off.'] }
  const { id } = expectStatus(await stage.operator.post('/v1/campaigns', body), 201)
  const read = async () => expectStatus(await stage.operator.get(`/v1/campaigns/${id}`), 200)
  return {
    campaignId: String(id),
    workflowId: campaignWorkflowId(id),
    async act(what: 'pause' | 'resume' | 'cancel'): Promise<void> {
      if (what === 'pause') await until('it has begun', async () => (await read()).deliveries.sent > 0)
      expectStatus(await stage.operator.post(`/v1/campaigns/${id}/${what}`), 200)
    },
  }
}
