/** G6: privacy requests on the console. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { findPrivacyRequest, openPrivacyRequest } from '../../../db/privacy-requests.ts'
import { privacyReference } from '../../../policy/privacy-reference.ts'
import { answerKinds, extensionReasons } from '../../../workflows/privacy-request.contract.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import { renderRequest } from '../../pages/console/privacy-request.tsx'
import { createPrivacyRequestClient } from '../../runs/privacy-request-client.ts'
import { recordRequestAct } from '../privacy-requests.ts'
import { done, frameOf, goTo, headers, page } from './console-route.ts'

const params = z.strictObject({ id: sentId })

export function consolePrivacyRequestRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const requests = createPrivacyRequestClient(api)

  /** @returns the account, if the request has one. @throws Problem not_found */
  async function ownerOf(id: string): Promise<string | null> {
    const row = await findPrivacyRequest(sql, id)
    if (!row) throw new Problem('not_found')
    return row.account_id
  }

  return [
    defineRoute({
      method: 'get',
      path: '/console/privacy-requests/{id}',
      tag: 'console',
      summary: 'A privacy request, and the forms to answer and to extend it',
      promises: ['G6'],
      callers: ['console'],
      permission: 'privacy',
      reads: ['privacyRequests'],
      params,
      responses: { 200: page },
      problems: ['not_found'],
      async handle({ params: { id }, caller }) {
        const row = await findPrivacyRequest(sql, id)
        const opened = row && (await openPrivacyRequest(sql, api, row))
        if (!row || !opened) throw new Problem('not_found')
        const request = {
          id,
          reference: privacyReference(id),
          kind: row.kind,
          state: row.state,
          accountId: row.account_id,
          receivedAt: row.received_at,
          answerBy: row.answer_by,
          answerKind: row.answer_kind,
          isExtended: row.extended_because !== null,
          ...opened,
        }
        const about = row.account_id === null ? [] : [row.account_id]
        return { status: 200, headers, about, raw: renderRequest(frameOf(api, caller), { request }) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/console/privacy-requests/{id}/resolve',
      tag: 'console',
      summary: 'Answers a privacy request',
      promises: ['G6'],
      callers: ['console'],
      permission: 'privacy',
      form: true,
      params,
      largeBody: 'texts',
      body: z.strictObject({ answerKind: z.enum(answerKinds), answer: z.string().trim().max(20_000) }),
      responses: done,
      problems: ['not_found', 'privacy_request_state_conflict', 'request_in_progress'],
      async handle({ params: { id }, body, caller }) {
        const answerId = randomUUID()
        const entry = { id: answerId, owner: await ownerOf(id), act: 'answer', reason: body.answerKind } as const
        await recordRequestAct(api, caller, entry, () =>
          requests.resolve(id, { kind: body.answerKind, text: body.answer || null }, answerId),
        )
        return goTo('/console')
      },
    }),
    defineRoute({
      method: 'post',
      path: '/console/privacy-requests/{id}/extend',
      tag: 'console',
      summary: 'Extends the time for the answer once by two months',
      promises: ['G6'],
      callers: ['console'],
      permission: 'privacy',
      form: true,
      params,
      body: z.strictObject({ reason: z.enum(extensionReasons) }),
      responses: done,
      problems: ['not_found', 'privacy_request_state_conflict', 'request_in_progress'],
      async handle({ params: { id }, body, caller }) {
        const actId = randomUUID()
        const entry = { id: actId, owner: await ownerOf(id), act: 'extend', reason: body.reason } as const
        await recordRequestAct(api, caller, entry, () => requests.extend(id, body.reason, actId))
        return goTo(`/console/privacy-requests/${id}`)
      },
    }),
  ]
}
