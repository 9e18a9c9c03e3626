/** Events, as the API answers them and as they are sent to endpoints. */
import { z } from 'zod'
import { eventTypes } from '../../policy/events/event-types.ts'
import { keysOf, tableOf } from '../../shared/keys-of.ts'
import type { WebhookDefinition } from '../http/openapi.ts'
import { enumeration } from './enumeration.ts'

export const eventType = enumeration(
  'EventType',
  'What has happened; the page /docs/events has the ids of each',
  tableOf(keysOf(eventTypes), (type) => eventTypes[type].meaning),
)

export const eventSchema = z
  .object({
    id: z.uuid().describe('the same whenever the event is sent again: the header `webhook-id` of a delivery'),
    type: eventType.schema,
    timestamp: z.iso.datetime().describe('when it was recorded'),
    version: z.string().describe('the form of the event'),
    data: z
      .object({
        accountId: z.uuid().optional(),
        orderId: z.uuid().optional(),
        esimId: z.uuid().optional(),
        receiptId: z.uuid().optional(),
        version: z.string().optional(),
        endpointId: z.uuid().optional(),
      })
      .describe('ids: what has become of the thing is read from the API'),
  })
  .meta({ id: 'Event' })

/** A delivery to a webhook endpoint. */
export const eventWebhook: WebhookDefinition = {
  name: 'event',
  summary: 'An event, signed by the convention of Standard Webhooks',
  headers: z.object({
    'webhook-id': z.uuid().describe('of the event: the same each time that it is sent'),
    'webhook-timestamp': z.string().describe('seconds since 1970, of this attempt'),
    'webhook-signature': z.string().describe('`v1,` and a signature in base64; two of them after a rotation'),
  }),
  body: eventSchema,
}
