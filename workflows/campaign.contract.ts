/** The campaign's face (U4): ids, messages, and the effects it needs. Import-safe for everybody. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'

export const campaignType = 'campaign'
export const campaignWorkflowId = (campaignId: string): string => `campaign-${campaignId}`

export interface CampaignInput {
  campaignId: string
  /** The row is a draft, which the run makes current. Not so of runs that were started inside the row's transaction. */
  draft?: true
  /** where an earlier run of the chain has come to */
  progress?: CampaignProgress
}

export interface CampaignProgress {
  /** the next part of the accounts to be looked at, of so many: a number leads to nobody, an account's id would */
  page: number
  pages: number
  lookedAt: number
  sent: number
  paused: boolean
}

export interface CampaignProgressView extends CampaignProgress {
  status: 'sending' | 'paused' | 'done' | 'cancelled'
}

/** Answered once the row is current, or gone. */
export const opened = defineUpdate<void>('opened')
/** Takes effect before the next mail. */
export const pause = defineUpdate<void>('pause')
export const resume = defineUpdate<void>('resume')
export const cancelCampaign = defineUpdate<void>('cancel')

export const campaignProgress = defineQuery<CampaignProgressView>('progress')

export interface CampaignPage {
  lookedAt: number
  sent: number
  /** paused or cancelled meanwhile: whoever was passed over is looked at again */
  stopped: boolean
}

/** Every time in is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface CampaignActivities {
  /** Makes a draft current. False when there is no such campaign, or when it is over. */
  openCampaign(input: { campaignId: string }): Promise<boolean>
  /**
   * Into how many parts of a few hundred recipients the accounts are divided.
   * @throws CampaignUnrecorded while a campaign may still come that was no draft
   */
  planCampaign(input: { campaignId: string }): Promise<{ pages: number }>
  /** Sends to those of one part who want it; each at most once in the campaign's life. @throws MailUnavailable */
  sendCampaignPage(input: { campaignId: string; page: number; pages: number; asOf: string }): Promise<CampaignPage>
  setCampaignState(input: {
    campaignId: string
    state: 'sending' | 'paused' | 'done' | 'cancelled'
    asOf: string
  }): Promise<void>
  /** An operator has to look why it does not go on. */
  reportStuckCampaign(input: { campaignId: string; asOf: string }): Promise<void>
}
