/** U4: promotions go only to those who asked for them. Consent is read again at each mail, and each gets at most one. */
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow'
import { failure } from '../shared/failures.ts'
import {
  type CampaignActivities,
  type CampaignInput,
  type CampaignProgress,
  type CampaignProgressView,
  campaignProgress,
  cancelCampaign,
  opened,
  pause,
  resume,
} from './campaign.contract.ts'
import { proxyLocalFirst } from './run/local-first.ts'
import { clock } from './run/now.ts'
import * as retry from './run/retry.ts'
import { showStatus } from './run/run-status.ts'

const localFirst = proxyLocalFirst<CampaignActivities>()
const { planCampaign, sendCampaignPage } = proxyActivities<CampaignActivities>({ ...retry.message, ...retry.manyRows })

/** About 100,000 people: a history of a few hundred events. */
const pagesPerRun = 200

export async function campaign({ campaignId, draft, progress }: CampaignInput): Promise<CampaignProgressView> {
  const so: CampaignProgress = progress ?? { page: 0, pages: 0, lookedAt: 0, sent: 0, paused: false }
  let cancelled = false
  let ended = false
  let isSettled = progress !== undefined || !draft
  setHandler(opened, () => condition(() => isSettled))
  setHandler(campaignProgress, () => ({ ...so, status: status() }))
  setHandler(pause, () => change(() => (so.paused = true)), { validator: () => allow(!ended && !so.paused) })
  setHandler(resume, () => change(() => (so.paused = false)), { validator: () => allow(!ended && so.paused) })
  setHandler(cancelCampaign, () => change(() => (cancelled = true)), { validator: () => allow(!ended) })
  tell()

  if (!isSettled) {
    const isThere = await localFirst.openCampaign({ campaignId })
    isSettled = true
    if (!isThere) {
      cancelled = true
      tell()
      await condition(allHandlersFinished)
      return { ...so, status: status() }
    }
  }
  if (so.pages === 0) so.pages = (await planCampaign({ campaignId })).pages
  for (let sentPages = 0; so.page < so.pages; sentPages += 1) {
    await condition(() => (!so.paused || cancelled) && allHandlersFinished())
    if (cancelled) break
    if (sentPages >= pagesPerRun) return continueAsNew<typeof campaign>({ campaignId, progress: so })
    await sendPage()
  }
  ended = true
  await localFirst.setCampaignState({ campaignId, state: cancelled ? 'cancelled' : 'done', ...clock() })
  tell()
  await condition(allHandlersFinished)
  return { ...so, status: status() }

  async function sendPage(): Promise<void> {
    try {
      const page = await sendCampaignPage({ campaignId, page: so.page, pages: so.pages, ...clock() })
      if (!page.stopped) so.page += 1
      so.lookedAt += page.lookedAt
      so.sent += page.sent
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error
      await change(() => (so.paused = true))
      await localFirst.reportStuckCampaign({ campaignId, ...clock() })
    }
  }

  /** The row is what each mail looks at, so that a change acts at once. */
  async function change(apply: () => void): Promise<void> {
    apply()
    await localFirst.setCampaignState({ campaignId, state: status(), ...clock() })
    tell()
  }

  function status(): CampaignProgressView['status'] {
    if (cancelled) return 'cancelled'
    if (ended) return 'done'
    return so.paused ? 'paused' : 'sending'
  }

  function tell(): void {
    const waitingFor = {
      sending: 'the mail server',
      paused: 'an operator to resume',
      done: 'nothing',
      cancelled: 'nothing',
    }
    showStatus({ status: status(), waitingFor: waitingFor[status()], dueAt: null })
  }

  function allow(permitted: boolean): void {
    if (!permitted) throw failure('CampaignStateConflict', { code: status() })
  }
}
