/** Opens, stops and changes campaigns by their runs, for the JSON routes and the console. */
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../../context.ts'
import { type CampaignRow, findCampaign, insertCampaign } from '../../db/campaigns.ts'
import { sendUpdate } from '../../temporal/runs.ts'
import { campaignStart, campaignWorkflowId, opened } from '../../workflows/campaign.contract.ts'
import { orNotFound, Problem } from '../http/problem.ts'
import { callRun, startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'campaign_state_conflict', detail: 'The campaign has ended.' } as const

export function createCampaignClient(api: ApiContext) {
  const { sql, temporal, config } = api

  return {
    /**
     * Opens a campaign, or finds it by its id. The row is a draft until its run has made it current. A sweep deletes
     * drafts without a run: their operator saw an error and may have opened the campaign again.
     * @throws Problem request_in_progress when the draft was deleted meanwhile
     */
    async open(campaign: Omit<CampaignRow, 'state' | 'ended_at'>): Promise<CampaignRow> {
      const { id } = campaign
      const before = await findCampaign(sql, id)
      if (before) return before
      await insertCampaign(sql, campaign)
      const start = campaignStart({ campaignId: id, draft: true }, config.TEMPORAL_TASK_QUEUE)
      await startAndUpdate(temporal, opened, start, ended)
      const row = await findCampaign(sql, id)
      if (!row) throw new Problem('request_in_progress', { headers: { 'Retry-After': '1' } })
      return row
    },

    /**
     * Sends an update to a campaign's run.
     * @param updateId the same for a repeated request, which gets the answer of the first
     * @throws Problem not_found, campaign_state_conflict
     */
    async update(id: string, definition: UpdateDefinition<void>, updateId: string): Promise<CampaignRow> {
      await found(id)
      await callRun(
        temporal,
        (deadline) => sendUpdate(temporal, campaignWorkflowId(id), definition, [], { deadline, updateId }),
        ended,
      )
      return found(id)
    },
  }

  async function found(id: string): Promise<CampaignRow> {
    return orNotFound(await findCampaign(sql, id))
  }
}
