import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { touchActivity } from '../../db/accounts.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import { exportAccount } from '../export/account-export.ts'
import {
  earlierExportSchema,
  earlierVersions,
  exportSchema,
  exportSchemaPath,
  exportVersion,
} from '../export/account-export-schema.ts'
import { spend } from '../http/allowance.ts'
import { actorOf } from '../http/caller.ts'
import { Problem } from '../http/problem.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { accountParams } from '../views/account-fields.ts'

export const exportHeaders = {
  'Content-Disposition': 'attachment; filename="ama-esim-export.json"',
}

export function exportRoutes(api: ApiContext): Route[] {
  const schema = JSON.stringify(exportSchema(api.config.PUBLIC_URL), null, 2)
  return [
    defineRoute({
      method: 'get',
      path: '/v1/accounts/{id}/export',
      tag: 'accounts',
      summary: "Export all of the person's data as one JSON document",
      description: `Its JSON Schema is at ${exportSchemaPath}. The document is streamed: JSON that is not complete was cut off by an error.`,
      promises: ['G5', 'G1', 'C3'],
      callers: ['service', 'person'],
      reads: ['everything'],
      account: 'id',
      freshSignIn: true,
      params: accountParams,
      responses: { 200: { description: 'The document', contentType: 'application/json' } },
      async handle({ params: { id }, caller, ip, requestId }) {
        const at = new Date()
        await spend(api, 'export', { accountId: id })
        const raw = await exportAccount(api, id, at)
        const event = { kind: 'data_exported', actor: actorOf(caller), accountId: id, ip, requestId, at } as const
        await recordSecurityEvent(api.sql, api, event)
        await touchActivity(api.sql, id, at)
        return { status: 200, headers: exportHeaders, raw }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/schemas/{file}',
      tag: 'documentation',
      summary: 'The JSON Schema of an export',
      promises: ['G5'],
      callers: ['public'],
      params: z.strictObject({ file: z.string().max(100) }),
      responses: { 200: { description: 'The schema', contentType: 'application/schema+json' } },
      problems: ['not_found'],
      async handle({ params: { file } }) {
        const headers = { 'Cache-Control': 'public, max-age=86400' }
        if (file === `account-export-${exportVersion}.json`) return { status: 200, headers, raw: schema }
        const earlier = earlierVersions.find((version) => file === `account-export-${version}.json`)
        if (earlier === undefined) throw new Problem('not_found')
        const raw = JSON.stringify(await earlierExportSchema(earlier, api.config.PUBLIC_URL), null, 2)
        return { status: 200, headers, raw }
      },
    }),
  ]
}
