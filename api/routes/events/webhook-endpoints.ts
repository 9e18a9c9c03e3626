/** Webhook endpoints: where the app backend has events sent. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { endpointOfRevokedKeyTask } from '../../../db/api-keys.ts'
import { countRetries } from '../../../db/events/deliveries.ts'
import {
  changeEndpoint,
  deleteEndpoint,
  disabledEndpointTask,
  type EndpointRow,
  findEndpoint,
  insertEndpoint,
  listEndpoints,
  mostEndpoints,
  replaySince,
  rotateSecret,
} from '../../../db/events/endpoints.ts'
import { eventBody, pingEndpoint } from '../../../db/events/events.ts'
import { resolveOperatorTask } from '../../../db/operator-tasks.ts'
import { startRetries } from '../../../temporal/event-retries.ts'
import { assertReasonIsOfOperator, entryOn, recordOperatorAct } from '../../acts/recorded-acts.ts'
import { actorOf, type Caller } from '../../http/caller.ts'
import { actOnce } from '../../http/idempotency.ts'
import { orNotFound, Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { idParams, sentTime } from '../../http/storable.ts'
import { eventSchema } from '../../views/event-view.ts'
import { actReason, whyField } from '../../views/operator-words.ts'
import {
  endpoint,
  endpointChange,
  endpointWithSecret,
  newEndpoint,
  viewEndpoint,
  viewEndpointWithSecret,
} from '../../views/webhook-endpoint-view.ts'

/** The key in the access log: the key that gave an endpoint's address reads all that the endpoint gets. */
const keyOf = (caller: Caller): string =>
  caller.kind === 'service' || caller.kind === 'operator' ? caller.keyId : actorOf(caller)
const callers = ['service', 'operator'] as const
const tag = 'events'
/** longer than a request takes */
const requestMs = 60_000

const one = { description: 'The endpoint', schema: endpoint }

export function webhookEndpointRoutes(api: ApiContext): Route[] {
  const { sql, eventReceivers } = api
  const view = (row: EndpointRow) => viewEndpoint(sql, row)
  const viewWithSecret = (row: EndpointRow) => viewEndpointWithSecret(api, row)

  async function found(id: string): Promise<EndpointRow> {
    return orNotFound(await findEndpoint(sql, id))
  }

  async function enabled(id: string): Promise<EndpointRow> {
    const row = await found(id)
    if (row.state === 'disabled')
      throw new Problem('webhook_endpoint_conflict', { detail: 'The endpoint is disabled.' })
    return row
  }

  /**
   * Most callers are the app backend, whose endpoints they are; what an operator does has an entry. @param entryId of a
   * request with a key
   */
  const recorded = <Result>(
    caller: Caller,
    act: string,
    id: string,
    given: { reason?: string | undefined } | undefined,
    perform: () => Promise<Result>,
    entryId: string = randomUUID(),
  ): Promise<Result> =>
    caller.kind === 'operator'
      ? recordOperatorAct(api, caller, { ...entryOn(`${act}-webhook-endpoint`, id, given), id: entryId }, perform)
      : perform()

  function assertDialable(address: string): void {
    const reason = eventReceivers.faultOf(address)
    if (reason) throw new Problem('invalid_request', { errors: [{ field: 'url', reason }] })
  }

  return [
    defineRoute({
      method: 'post',
      path: '/v1/webhook-endpoints',
      tag,
      summary: 'Have events sent to an address, from now on',
      description: `Each delivery is signed by the convention of Standard Webhooks (standardwebhooks.com). An answer of 2xx within fifteen seconds is its receipt; anything else is tried again for three days. There can be ${mostEndpoints}.`,
      callers,
      scope: 'events',
      idempotencyKey: 'required',
      body: newEndpoint,
      responses: {
        201: { description: 'The endpoint', schema: endpointWithSecret, headers: { Location: 'its address' } },
      },
      problems: ['webhook_endpoint_conflict', 'request_in_progress'],
      async handle({ body, idempotency, caller }) {
        assertReasonIsOfOperator(caller, body)
        assertDialable(body.url)
        const { resourceId: id, repeated, firstAt, release } = await idempotency.claim(null)
        if (repeated && !(await findEndpoint(sql, id))) {
          // The endpoint was deleted, or the first request is not done yet: a deleted endpoint must not come back.
          if (firstAt.getTime() > Date.now() - requestMs) throw new Problem('request_in_progress')
          throw new Problem('webhook_endpoint_conflict', {
            detail: 'The endpoint was deleted, or never made. A request with another Idempotency-Key makes one.',
          })
        }
        await recorded(
          caller,
          'make',
          id,
          body,
          async () => {
            const { url: to, types: wanted } = body
            const made = { id, url: to, types: wanted, by: keyOf(caller), at: new Date() }
            if (await insertEndpoint(sql, api, made)) return
            await release()
            throw new Problem('webhook_endpoint_conflict', { detail: `There are ${mostEndpoints} already.` })
          },
          id,
        )
        const row = await findEndpoint(sql, id)
        if (!row) throw new Problem('webhook_endpoint_conflict', { detail: 'The endpoint was deleted meanwhile.' })
        return {
          status: 201,
          headers: { Location: `/v1/webhook-endpoints/${id}` },
          body: await viewWithSecret(row),
        }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/webhook-endpoints',
      tag,
      summary: 'List the endpoints',
      callers,
      responses: {
        200: {
          description: 'All of them, the oldest first',
          schema: z.object({ items: z.array(endpoint) }).meta({ id: 'WebhookEndpoints' }),
        },
      },
      async handle() {
        const items = await Promise.all((await listEndpoints(sql)).map(view))
        return { status: 200, body: { items } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/webhook-endpoints/{id}',
      tag,
      summary: 'One endpoint',
      callers,
      params: idParams,
      responses: { 200: one },
      problems: ['not_found'],
      async handle({ params: { id } }) {
        return { status: 200, body: await view(await found(id)) }
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/v1/webhook-endpoints/{id}',
      tag,
      summary: 'Change an endpoint, disable it or enable it again',
      description:
        'What it has not taken is sent at once. An endpoint that is enabled again goes on with the first event that it has not taken, unless that is older than 30 days.',
      callers,
      scope: 'events',
      params: idParams,
      body: endpointChange,
      responses: { 200: one },
      problems: ['not_found'],
      async handle({ params: { id }, body, caller }) {
        assertReasonIsOfOperator(caller, body)
        const { url: address, types: wanted, state } = body
        if (address !== undefined) assertDialable(address)
        const at = new Date()
        const change = {
          ...(address !== undefined && { url: address }),
          ...(wanted !== undefined && { types: wanted }),
          ...(state !== undefined && { enabled: state === 'enabled' }),
        }
        await found(id)
        await recorded(caller, 'change', id, body, async () => {
          if (!(await changeEndpoint(sql, id, change, { by: keyOf(caller), at }))) throw new Problem('not_found')
        })
        const row = await found(id)
        // Whoever has a key that is in force says where the events go.
        if (address !== undefined) {
          const task = { kind: endpointOfRevokedKeyTask, subjectId: id, by: actorOf(caller), at }
          await resolveOperatorTask(sql, task)
        }
        if (row.state === 'enabled') {
          await resolveOperatorTask(sql, { kind: disabledEndpointTask, subjectId: id, by: actorOf(caller), at })
          if ((await countRetries(sql, id)) > 0) await startRetries(api, id)
        }
        return { status: 200, body: await view(row) }
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/v1/webhook-endpoints/{id}',
      tag,
      summary: 'Delete an endpoint: nothing more is sent to it',
      callers,
      scope: 'events',
      params: idParams,
      query: z.strictObject(whyField),
      responses: { 204: { description: 'It is gone' } },
      problems: ['not_found'],
      async handle({ params: { id }, query, caller }) {
        assertReasonIsOfOperator(caller, query)
        const at = new Date()
        await found(id)
        await recorded(caller, 'delete', id, query, async () => {
          if (!(await deleteEndpoint(sql, id, at))) throw new Problem('not_found')
        })
        for (const kind of [disabledEndpointTask, endpointOfRevokedKeyTask])
          await resolveOperatorTask(sql, { kind, subjectId: id, by: actorOf(caller), at })
        return { status: 204 }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/webhook-endpoints/{id}/rotate-secret',
      tag,
      summary: 'Get a new secret; the one before is valid for another day',
      description: 'For a day each delivery has a signature by both. Until then there can be no other rotation.',
      callers,
      scope: 'events',
      idempotencyKey: 'required',
      params: idParams,
      body: actReason.optional(),
      responses: { 200: { description: 'The endpoint with its new secret', schema: endpointWithSecret } },
      problems: ['not_found', 'webhook_endpoint_conflict', 'request_in_progress'],
      async handle({ params: { id }, body, idempotency, caller }) {
        assertReasonIsOfOperator(caller, body)
        await found(id)
        // A repeated request gets the same secret: its first answer may have been lost.
        await actOnce(idempotency, null, ({ requestId: rotationId }) =>
          recorded(
            caller,
            'rotate-secret-of',
            id,
            body,
            async () => {
              if (!(await rotateSecret(sql, api, { id, rotationId, at: new Date() }))) {
                throw new Problem('webhook_endpoint_conflict', { detail: 'The last rotation is younger than a day.' })
              }
            },
            rotationId,
          ),
        )
        return { status: 200, body: await viewWithSecret(await found(id)) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/webhook-endpoints/{id}/replay',
      tag,
      summary: 'Send the events since a time once more',
      description: 'They have the same ids as before, so that a receiver knows which of them it has had.',
      callers,
      scope: 'events',
      params: idParams,
      body: z.strictObject({ since: sentTime, ...whyField }).meta({ id: 'EventReplay' }),
      responses: {
        202: {
          description: 'They are sent',
          schema: z.object({ events: z.int().nonnegative() }).meta({ id: 'ReplayedEvents' }),
        },
      },
      problems: ['not_found', 'webhook_endpoint_conflict'],
      async handle({ params: { id }, body, caller }) {
        assertReasonIsOfOperator(caller, body)
        await enabled(id)
        const events = await recorded(caller, 'replay-to', id, body, () => replaySince(sql, id, new Date(body.since)))
        if (events === undefined)
          throw new Problem('webhook_endpoint_conflict', { detail: 'The endpoint is disabled.' })
        return { status: 202, body: { events } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/webhook-endpoints/{id}/ping',
      tag,
      summary: 'Have an event without a meaning sent to this endpoint alone',
      callers,
      scope: 'events',
      params: idParams,
      body: actReason.optional(),
      responses: { 202: { description: 'The event that is sent', schema: eventSchema } },
      problems: ['not_found', 'webhook_endpoint_conflict'],
      async handle({ params: { id }, body, caller }) {
        assertReasonIsOfOperator(caller, body)
        await enabled(id)
        const event = await recorded(caller, 'ping', id, body, () => pingEndpoint(sql, id))
        return { status: 202, body: eventBody(event) }
      },
    }),
  ]
}
