import type { UpdateDefinition } from '@temporalio/common'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { type CampaignRow, countDeliveries, findCampaign, listCampaigns } from '../../../db/campaigns.ts'
import { isoOrNull } from '../../../shared/calendar.ts'
import { cancelCampaign, pause, resume } from '../../../workflows/campaign.contract.ts'
import { actAndRecord, entryOn, recordOperatorAct } from '../../acts/recorded-acts.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../../http/cursor.ts'
import { orNotFound } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { idParams, oneLine, sentTime } from '../../http/storable.ts'
import { createCampaignClient } from '../../runs/campaign-client.ts'
import { enumeration } from '../../views/enumeration.ts'
import { actReason, whyField } from '../../views/operator-words.ts'

const newCampaign = z
  .strictObject({
    subject: oneLine(150),
    paragraphs: z.array(z.string().trim().min(1).max(2_000)).min(1).max(20).describe('plain text'),
    action: z
      .strictObject({ label: oneLine(50), url: z.url({ protocol: /^https$/, normalize: true }).max(500) })
      .optional()
      .describe('a button'),
    ...whyField,
  })
  .meta({ id: 'NewCampaign' })

const campaignState = enumeration('CampaignState', 'How far a campaign is', {
  sending: 'Its mails are being sent',
  paused: 'An operator has paused it',
  done: 'Every mail has its outcome',
  cancelled: 'An operator has ended it: mails that were not sent are not sent any more',
})

const campaignSummary = z
  .object({
    id: z.uuid(),
    subject: z.string(),
    paragraphs: z.array(z.string()),
    action: z.object({ label: z.string(), url: z.string() }).nullable(),
    state: campaignState.schema,
    createdAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'CampaignSummary' })

const count = z.int().nonnegative()
const campaign = campaignSummary
  .extend({
    deliveries: z.object({
      sent: count,
      refused: count.describe('mails that the mail server refused for good'),
      unknown: count.describe('mails with an unknown outcome; they are not sent again'),
      waiting: count.describe('mails that are being sent or wait for a retry'),
    }),
  })
  .meta({ id: 'Campaign' })

const one = { description: 'The campaign', schema: campaign }
const position = z.tuple([sentTime, z.uuid()])

export function campaignRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const client = createCampaignClient(api)
  const view = async (row: CampaignRow) => ({ ...summaryOf(row), deliveries: await countDeliveries(sql, row.id) })

  const action = (name: string, definition: UpdateDefinition<void>, summary: string): Route =>
    defineRoute({
      method: 'post',
      path: `/v1/campaigns/{id}/${name}`,
      tag: 'campaigns',
      summary,
      promises: ['U4'],
      callers: ['operator'],
      idempotencyKey: 'optional',
      params: idParams,
      body: actReason.optional(),
      responses: { 200: one },
      problems: ['not_found', 'campaign_state_conflict'],
      async handle({ params: { id }, body, caller, idempotency }) {
        orNotFound(await findCampaign(sql, id))
        const entry = entryOn(`${name}-campaign`, id, body)
        const row = await actAndRecord(api, caller, idempotency, entry, ({ updateId }) =>
          client.update(id, definition, updateId),
        )
        return { status: 200, body: await view(row) }
      },
    })

  return [
    defineRoute({
      method: 'post',
      path: '/v1/campaigns',
      tag: 'campaigns',
      summary: 'Send a promotion to everyone who agreed to promotions',
      description:
        'Consent is checked again before each mail, and each person gets a campaign once. Every mail offers to unsubscribe with one click (RFC 8058).',
      promises: ['U4', 'G4'],
      callers: ['operator'],
      idempotencyKey: 'required',
      largeBody: 'texts',
      body: newCampaign,
      responses: { 201: { ...one, headers: { Location: 'its address' } } },
      problems: ['request_in_progress', 'campaign_state_conflict'],
      async handle({ body, caller, idempotency }) {
        const { resourceId: id } = await idempotency.claim(null)
        const row = await recordOperatorAct(api, caller, { ...entryOn('open-campaign', id, body), id }, () =>
          client.open({
            id,
            subject: body.subject,
            paragraphs: body.paragraphs,
            action_label: body.action?.label ?? null,
            action_url: body.action?.url ?? null,
            created_at: new Date(),
            created_by: caller.keyId,
          }),
        )
        return { status: 201, headers: { Location: `/v1/campaigns/${id}` }, body: await view(row) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/campaigns',
      tag: 'campaigns',
      summary: 'List campaigns, the newest first',
      callers: ['operator'],
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page', schema: pageOf(campaignSummary).meta({ id: 'CampaignPage' }) } },
      async handle({ query: { cursor, limit } }) {
        const found = await listCampaigns(sql, { after: decodeCursor(cursor, position), limit: limit + 1 })
        const { rows, nextCursor } = cutPage(found, limit, (row) => [row.created_at.toISOString(), row.id])
        return { status: 200, body: { items: rows.map(summaryOf), nextCursor } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/campaigns/{id}',
      tag: 'campaigns',
      summary: 'One campaign, with the numbers of its mails',
      promises: ['U4'],
      callers: ['operator'],
      params: idParams,
      responses: { 200: one },
      problems: ['not_found'],
      async handle({ params: { id } }) {
        const row = orNotFound(await findCampaign(sql, id))
        return { status: 200, body: await view(row) }
      },
    }),
    action('pause', pause, 'Send no more for now'),
    action('resume', resume, 'Go on sending'),
    action('cancel', cancelCampaign, 'Send no more, for good'),
  ]
}

function summaryOf(row: CampaignRow): z.input<typeof campaignSummary> {
  return {
    id: row.id,
    subject: row.subject,
    paragraphs: row.paragraphs,
    action: row.action_label && row.action_url ? { label: row.action_label, url: row.action_url } : null,
    state: row.state,
    createdAt: row.created_at.toISOString(),
    endedAt: isoOrNull(row.ended_at),
  }
}
