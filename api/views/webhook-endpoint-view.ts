/** A webhook endpoint, as its owner sends it and sees it. */
import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import type { Queryable } from '../../db/connection/database.ts'
import { countRetries } from '../../db/events/deliveries.ts'
import { type EndpointRow, secretsOf } from '../../db/events/endpoints.ts'
import { eventTypes } from '../../policy/events/event-types.ts'
import { isoOrNull } from '../../shared/calendar.ts'
import { enumeration } from './enumeration.ts'
import { eventType } from './event-view.ts'
import { whyField } from './operator-words.ts'

const time = z.iso.datetime().nullable()

/** As it is called, which can differ much from what was typed. */
const url = z
  .url({ normalize: true })
  .max(500)
  .describe(
    'https, on the internet, without a user name, a password or a fragment; outside of production also http to `localhost` and `127.0.0.1`',
  )
const types = z
  .array(eventType.schema)
  .min(1)
  .max(Object.keys(eventTypes).length)
  .nullable()
  .describe('the types to send; null: all, those of later versions too')

const endpointState = enumeration('WebhookEndpointState', 'Whether events are sent to an endpoint', {
  enabled: 'Events are sent',
  disabled: 'Nothing is sent; once enabled again it goes on with the first event that it has not taken',
})
const disabledBecause = enumeration('WebhookEndpointDisabledBecause', 'Why an endpoint is disabled', {
  asked: 'You have asked for it',
  failing: 'It has taken nothing for three days',
  gone: 'It has answered 410',
})

export const newEndpoint = z
  .strictObject({ url, types: types.default(null), ...whyField })
  .meta({ id: 'NewWebhookEndpoint' })
export const endpointChange = z
  .strictObject({ url: url.optional(), types: types.optional(), state: endpointState.schema.optional(), ...whyField })
  .meta({ id: 'WebhookEndpointChange' })

export const endpoint = z
  .object({
    id: z.uuid(),
    url: z.string(),
    types: z.array(z.string()).nullable(),
    state: endpointState.schema,
    disabledBecause: disabledBecause.schema.nullable(),
    waiting: z.int().nonnegative().describe('events that it has not taken, and that are sent again'),
    lastDeliveredAt: time,
    lastFailedAt: time,
    lastFailure: z.string().nullable().describe('`http_500`, `timed_out`, `econnrefused`, ...'),
    nextAttemptAt: time.describe('while it takes nothing: when the next attempt is made'),
    previousSecretUntil: time.describe('until when deliveries also have a signature by the secret before'),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'WebhookEndpoint' })
export const endpointWithSecret = endpoint
  .extend({ secret: z.string().describe('`whsec_...`: keep it, no other answer has it') })
  .meta({ id: 'WebhookEndpointWithSecret' })

/** An endpoint without its secret. */
export const viewEndpoint = async (sql: Queryable, row: EndpointRow): Promise<z.input<typeof endpoint>> => ({
  id: row.id,
  url: row.url,
  types: row.types,
  state: row.state,
  disabledBecause: row.disabled_because,
  waiting: await countRetries(sql, row.id),
  lastDeliveredAt: isoOrNull(row.delivered_at),
  lastFailedAt: isoOrNull(row.failed_at),
  lastFailure: row.code,
  nextAttemptAt: isoOrNull(row.retry_at),
  previousSecretUntil: isoOrNull(row.previous_until),
  createdAt: row.created_at.toISOString(),
})

/** An endpoint with the secret that signs its deliveries. */
export async function viewEndpointWithSecret(
  api: ApiContext,
  row: EndpointRow,
): Promise<z.input<typeof endpointWithSecret>> {
  const [secret] = await secretsOf(api.sql, api, row, new Date())
  return { ...(await viewEndpoint(api.sql, row)), secret }
}
