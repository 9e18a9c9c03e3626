/** What the API asks of campaigns: one way in for the JSON routes and the console. */
import type { UpdateDefinition } from '@temporalio/common'
import type { ApiContext } from '../context.ts'
import { type CampaignRow, findCampaign, insertCampaign } from '../db/campaigns.ts'
import { type CampaignInput, campaignType, campaignWorkflowId } from '../workflows/campaign.contract.ts'
import { startingAttributes } from '../workflows/search-attributes.ts'
import { Problem } from './problem.ts'
import { answerWithinMs, asProblem } from './workflow-problems.ts'

const ended = { code: 'campaign_state_conflict', detail: 'The campaign has ended.' } as const

export function createCampaignClient(api: ApiContext) {
  const { sql, temporal, config } = api

  return {
    /** Opens a campaign, or finds it by its id. Neither its row nor its run can be without the other. */
    async open(campaign: Omit<CampaignRow, 'state' | 'ended_at'>): Promise<CampaignRow> {
      const before = await findCampaign(sql, campaign.id)
      if (before) return before
      const input: CampaignInput = { campaignId: campaign.id }
      await sql.begin(async (tx) => {
        await insertCampaign(tx, campaign)
        await temporal.withDeadline(Date.now() + answerWithinMs, () =>
          temporal.workflow.start(campaignType, {
            workflowId: campaignWorkflowId(campaign.id),
            taskQueue: config.TEMPORAL_TASK_QUEUE,
            args: [input],
            workflowIdConflictPolicy: 'USE_EXISTING',
            typedSearchAttributes: startingAttributes({
              status: 'sending',
              waitingFor: 'the mail server',
              dueAt: null,
            }),
            staticSummary: 'Campaign',
          }),
        )
      })
      return found(campaign.id)
    },

    async update(id: string, definition: UpdateDefinition<void>, updateId: string): Promise<CampaignRow> {
      await found(id)
      const handle = temporal.workflow.getHandle(campaignWorkflowId(id))
      await asProblem(
        () => temporal.withDeadline(Date.now() + answerWithinMs, () => handle.executeUpdate(definition, { updateId })),
        ended,
      )
      return found(id)
    },
  }

  async function found(id: string): Promise<CampaignRow> {
    const row = await findCampaign(sql, id)
    if (!row) throw new Problem('not_found')
    return row
  }
}
