/**
 * U4: promotions go only to those who asked for them. Each mail reads the consent again; a person gets at most one
 * mail.
 */
import { ActivityFailure, allHandlersFinished, condition, continueAsNew, proxyActivities } from '@temporalio/workflow'
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
import type { BeforeDrafts } from './run/before-drafts.ts'
import { proxyLocalFirst } from './run/local-first.ts'
import { nothing, onQuery, onUpdate } from './run/messages.ts'
import { clock } from './run/now.ts'
import * as retry from './run/retry.ts'
import { showStatus } from './run/run-status.ts'

const localFirst = proxyLocalFirst<CampaignActivities>()
const { planCampaign, sendCampaignPage } = proxyActivities<CampaignActivities>({ ...retry.message, ...retry.manyRows })

/** About 100,000 accounts; keeps the history at a few hundred events. */
const pagesPerRun = 200

export async function campaign({
  campaignId,
  draft,
  progress: carriedOver,
}: CampaignInput | ({ campaignId: string } & BeforeDrafts)): Promise<CampaignProgressView> {
  const progress: CampaignProgress = carriedOver ?? { page: 0, pages: 0, lookedAt: 0, sent: 0, paused: false }
  let cancelled = false
  let ended = false
  let isSettled = carriedOver !== undefined || !draft
  onUpdate(opened, nothing, () => condition(() => isSettled))
  onQuery(campaignProgress, () => ({ ...progress, status: status() }))
  onUpdate(
    pause,
    nothing,
    () => change(() => (progress.paused = true)),
    () => allow(!ended && !progress.paused),
  )
  onUpdate(
    resume,
    nothing,
    () => change(() => (progress.paused = false)),
    () => allow(!ended && progress.paused),
  )
  onUpdate(
    cancelCampaign,
    nothing,
    () => change(() => (cancelled = true)),
    () => allow(!ended),
  )
  showProgress()

  if (!isSettled) {
    const exists = await localFirst.openCampaign({ campaignId })
    isSettled = true
    if (!exists) {
      cancelled = true
      showProgress()
      await condition(allHandlersFinished)
      return { ...progress, status: status() }
    }
  }
  if (progress.pages === 0) progress.pages = (await planCampaign({ campaignId })).pages
  for (let sentPages = 0; progress.page < progress.pages; sentPages += 1) {
    await condition(() => (!progress.paused || cancelled) && allHandlersFinished())
    if (cancelled) break
    if (sentPages >= pagesPerRun) return continueAsNew<typeof campaign>({ campaignId, progress })
    await sendPage()
  }
  ended = true
  await localFirst.setCampaignState({ campaignId, state: cancelled ? 'cancelled' : 'done', ...clock() })
  showProgress()
  await condition(allHandlersFinished)
  return { ...progress, status: status() }

  async function sendPage(): Promise<void> {
    try {
      const page = await sendCampaignPage({ campaignId, page: progress.page, pages: progress.pages, ...clock() })
      if (!page.stopped) progress.page += 1
      progress.lookedAt += page.lookedAt
      progress.sent += page.sent
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error
      await change(() => (progress.paused = true))
      await localFirst.reportStuckCampaign({ campaignId, ...clock() })
    }
  }

  /** Each mail reads the state from the row, so a change takes effect before the next mail. */
  async function change(apply: () => void): Promise<void> {
    apply()
    await localFirst.setCampaignState({ campaignId, state: status(), ...clock() })
    showProgress()
  }

  function status(): CampaignProgressView['status'] {
    if (cancelled) return 'cancelled'
    if (ended) return 'done'
    return progress.paused ? 'paused' : 'sending'
  }

  function showProgress(): void {
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
