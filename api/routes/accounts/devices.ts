import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { touchActivity } from '../../../db/accounts.ts'
import { deleteDevice, putDevice } from '../../../db/devices.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { oneLineOfProgram } from '../../http/storable.ts'
import { accountId, device } from '../../views/account-fields.ts'

const deviceParams = z.strictObject({
  id: accountId,
  deviceId: z.string().regex(/^[\w.:-]{1,128}$/, 'must be 1 to 128 letters, digits or any of _ . : -'),
})
const shortText = oneLineOfProgram(100).optional()

const newDevice = z
  .strictObject({
    platform: z.enum(['ios', 'android']),
    pushToken: z
      .string()
      .min(1)
      .max(4_096)
      .optional()
      .describe('a token belongs to one account: it is removed from any other'),
    appVersion: shortText,
    model: shortText,
    osVersion: shortText,
    appInstanceId: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('the app instance id of Firebase Analytics, for conversion measurement'),
  })
  .meta({ id: 'NewDevice' })

export function deviceRoutes(api: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'put',
      path: '/v1/accounts/{id}/devices/{deviceId}',
      tag: 'devices',
      summary: 'Register a device, or replace its data',
      description:
        'At each start of the app, and when Firebase gives it another token. The page /docs/events has what push messages carry.',
      promises: ['C4', 'C5', 'C7', 'P4'],
      callers: ['service', 'person'],
      scope: 'accounts',
      reads: ['devices'],
      account: 'id',
      params: deviceParams,
      body: newDevice,
      responses: { 200: { description: 'The device', schema: device } },
      async handle({ params, body, caller }) {
        const seenAt = new Date()
        const known = {
          deviceId: params.deviceId,
          platform: body.platform,
          pushToken: body.pushToken ?? null,
          appVersion: body.appVersion ?? null,
          model: body.model ?? null,
          osVersion: body.osVersion ?? null,
          appInstanceId: body.appInstanceId ?? null,
          seenAt,
        }
        const outcome = await putDevice(api.sql, api, params.id, known)
        if (outcome === 'missing') throw new Problem('not_found')
        if (outcome === 'contended') throw new Problem('unavailable', { headers: { 'Retry-After': '1' } })
        if (caller.kind === 'service') await touchActivity(api.sql, params.id, seenAt)
        const { pushToken, appInstanceId, ...shown } = known
        return {
          status: 200,
          body: { ...shown, hasPushToken: pushToken !== null, hasAppInstanceId: appInstanceId !== null },
        }
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/v1/accounts/{id}/devices/{deviceId}',
      tag: 'devices',
      summary: 'Delete a device',
      promises: ['C4'],
      callers: ['service', 'person'],
      scope: 'accounts',
      account: 'id',
      params: deviceParams,
      responses: { 204: { description: 'Deleted' } },
      async handle({ params }) {
        if (!(await deleteDevice(api.sql, api, params.id, params.deviceId))) throw new Problem('not_found')
        return { status: 204 }
      },
    }),
  ]
}
