/**
 * The codec server of the Temporal Web UI, which has no key itself: it shows operators the decrypted payloads of a run.
 * Payloads name people by ids alone: whose they are is looked up for the access log.
 * https://docs.temporal.io/production-deployment/data-encryption
 */
import type { RequestHandler } from 'express'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { accountsNamedIn } from '../../../db/access/named-accounts.ts'
import type { FieldGroup } from '../../../policy/field-groups.ts'
import { createPayloadCodec, keyIdOf } from '../../../temporal/payload-codec.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'

const base64 = z.base64()
const payloads = z
  .strictObject({
    payloads: z.array(
      z.strictObject({ metadata: z.record(z.string().max(100), base64).optional(), data: base64.optional() }),
    ),
  })
  .meta({ id: 'Payloads' })

type Payloads = z.output<typeof payloads>['payloads']

/** The contents of the runs of a person: purchases and choices; the rest are ids (docs/glossary.md, "run"). */
const heldByRuns: readonly FieldGroup[] = ['orders', 'consents']

export function codecRoutes({ config, sql }: ApiContext): Route[] {
  const codec = config.PAYLOAD_KEYS && createPayloadCodec(config.PAYLOAD_KEYS)

  const route = (name: 'decode' | 'encode', summary: string, reads?: readonly FieldGroup[]): Route =>
    defineRoute({
      method: 'post',
      path: `/codec/${name}`,
      tag: 'operation',
      summary,
      promises: ['S1'],
      callers: ['operator', 'console'],
      unrecorded: 'reads',
      permission: 'look',
      ...(reads && { reads }),
      largeBody: 'payloads',
      body: payloads,
      responses: { 200: { description: 'The payloads', schema: payloads } },
      problems: ['not_found'],
      async handle({ body }) {
        if (!codec) throw new Problem('not_found', { detail: 'There are no payload keys.' })
        const given = fromJson(body.payloads)
        const converted = await codec[name](given)
        const reply = { status: 200 as const, body: { payloads: toJson(converted) } }
        if (!reads) return reply
        // The caller has already read payloads that came unencrypted.
        const opened = converted.filter((_, place) => keyIdOf(given[place] ?? {}) !== undefined)
        const text = opened.map(({ data }) => Buffer.from(data ?? []).toString()).join('\n')
        return { ...reply, about: await accountsNamedIn(sql, text) }
      },
    })

  return [
    route('decode', 'Decrypts payloads, for the Temporal Web UI', heldByRuns),
    route('encode', 'Encrypts payloads, for the Temporal Web UI'),
  ]
}

/** CORS for the origin of the Web UI alone, with cookies. @param uiUrl without it no origin is allowed */
export function codecCors(uiUrl: string | undefined): RequestHandler {
  const allowed = uiUrl === undefined ? undefined : new URL(uiUrl).origin
  return (request, response, next) => {
    response.vary('Origin')
    if (allowed !== undefined && request.headers.origin === allowed) {
      response.set({ 'Access-Control-Allow-Origin': allowed, 'Access-Control-Allow-Credentials': 'true' })
      if (request.method === 'OPTIONS') {
        response
          .status(204)
          .set({
            'Access-Control-Allow-Methods': 'POST',
            'Access-Control-Allow-Headers': 'authorization, content-type, x-namespace',
            'Access-Control-Max-Age': '600',
          })
          .end()
        return
      }
    }
    next()
  }
}

const fromJson = (payloads: Payloads) =>
  payloads.map(({ metadata = {}, data }) => ({
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
    ...(data !== undefined && { data: Buffer.from(data, 'base64') }),
  }))

interface BinaryPayload {
  metadata?: Record<string, Uint8Array> | null
  data?: Uint8Array | null
}

const toJson = (payloads: BinaryPayload[]): Payloads =>
  payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
    ...(data && { data: Buffer.from(data).toString('base64') }),
  }))
