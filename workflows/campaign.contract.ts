/** The campaign's face (U4): ids, messages, and the effects it needs. Import-safe for everybody. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'

export const campaignType = 'campaign'
export const campaignWorkflowId = (campaignId: string): string => `campaign-${campaignId}`

export interface CampaignInput {
  campaignId: string
  /** where an earlier run of the chain has come to */
  progress?: CampaignProgress
}

export interface CampaignProgress {
  /** everybody up to this account was looked at; null at the start */
  afterId: string | null
  lookedAt: number
  sent: number
  paused: boolean
}

export interface CampaignProgressView extends CampaignProgress {
  status: 'sending' | 'paused' | 'done' | 'cancelled'
}

/** Takes effect before the next mail. */
export const pause = defineUpdate<void>('pause')
export const resume = defineUpdate<void>('resume')
export const cancelCampaign = defineUpdate<void>('cancel')

export const campaignProgress = defineQuery<CampaignProgressView>('progress')

export interface CampaignPage {
  /** the last account looked at */
  lastId: string | null
  lookedAt: number
  sent: number
  /** `all`: nobody is left. `stopped`: the campaign was paused or cancelled meanwhile */
  end: 'page' | 'all' | 'stopped'
}

/** Every time in is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface CampaignActivities {
  /** Sends to the next ones who want it; each at most once in the campaign's life. @throws MailUnavailable */
  sendCampaignPage(input: { campaignId: string; afterId: string | null; asOf: string }): Promise<CampaignPage>
  setCampaignState(input: {
    campaignId: string
    state: 'sending' | 'paused' | 'done' | 'cancelled'
    asOf: string
  }): Promise<void>
  /** An operator has to look why it does not go on. */
  reportStuckCampaign(input: { campaignId: string; asOf: string }): Promise<void>
}
