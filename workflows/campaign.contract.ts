/** Contract of the campaign: ids, messages and activities. Code outside of workflows may import it. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'
import { initialSearchAttributes } from '../shared/search-attributes.ts'

export const campaignType = 'campaign'
export const campaignWorkflowId = (campaignId: string): string => `campaign-${campaignId}`

/** `draft`: the run makes the draft current. `progress`: of the run that this one continues (continue-as-new). */
export type CampaignInput = { campaignId: string } & (
  | { draft: true; progress?: never }
  | { draft?: never; progress: CampaignProgress }
)

export interface CampaignProgress {
  /**
   * the next page of accounts, from 0. A number, because the last account's id would be personal data in the history
   */
  page: number
  pages: number
  lookedAt: number
  sent: number
  paused: boolean
}

export interface CampaignProgressView extends CampaignProgress {
  status: 'sending' | 'paused' | 'done' | 'cancelled'
}

/** Options that start the run of a draft, or another run of a campaign whose run is gone. */
export const campaignStart = (input: CampaignInput, taskQueue: string) => ({
  type: campaignType,
  workflowId: campaignWorkflowId(input.campaignId),
  taskQueue,
  args: [input] satisfies [CampaignInput],
  workflowIdConflictPolicy: 'USE_EXISTING' as const,
  typedSearchAttributes: initialSearchAttributes({ status: 'sending', waitingFor: 'the mail server', dueAt: null }),
  staticSummary: 'Campaign',
})

/** Completes once the draft is current or deleted. */
export const opened = defineUpdate<void>('opened')
/** Takes effect before the next mail. */
export const pause = defineUpdate<void>('pause')
export const resume = defineUpdate<void>('resume')
export const cancelCampaign = defineUpdate<void>('cancel')

export const campaignProgress = defineQuery<CampaignProgressView>('progress')

export interface CampaignPage {
  lookedAt: number
  sent: number
  /** the campaign was paused or cancelled meanwhile; the page is sent again to the accounts that were left out */
  stopped: boolean
}

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface CampaignActivities {
  /** Makes a draft current. Returns false when there is no such campaign, or when it has ended. */
  openCampaign(input: { campaignId: string }): Promise<boolean>
  /** Returns the number of pages of a few hundred accounts. */
  planCampaign(input: { campaignId: string }): Promise<{ pages: number }>
  /** Sends to the accounts of a page that have opted in, to each at most once in a campaign. @throws MailUnavailable */
  sendCampaignPage(input: { campaignId: string; page: number; pages: number; asOf: string }): Promise<CampaignPage>
  setCampaignState(input: {
    campaignId: string
    state: 'sending' | 'paused' | 'done' | 'cancelled'
    asOf: string
  }): Promise<void>
  /** Makes an operator task of a campaign that cannot be sent. */
  reportStuckCampaign(input: { campaignId: string; asOf: string }): Promise<void>
}
