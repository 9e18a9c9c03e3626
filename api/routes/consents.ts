import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { consentSources, findPromotions, ownConsentSources, setPromotions } from '../../db/consents.ts'
import { orNotFound } from '../http/problem.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { accountParams, promotionsConsent } from '../views/account-fields.ts'

const newConsent = z
  .strictObject({
    granted: z.boolean(),
    source: z.enum(consentSources).exclude(ownConsentSources).describe('where the person gave or withdrew consent'),
  })
  .meta({ id: 'NewPromotionsConsent' })

export function consentRoutes(api: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'put',
      path: '/v1/accounts/{id}/consents/promotions',
      tag: 'accounts',
      summary: 'Agree to promotions, or withdraw',
      description: 'Every change is kept with its time and source. It takes effect before the next promotion is sent.',
      promises: ['U4', 'G4'],
      callers: ['service', 'person'],
      scope: 'accounts',
      reads: ['consents'],
      account: 'id',
      params: accountParams,
      body: newConsent,
      responses: { 200: { description: 'The consent as it is now', schema: promotionsConsent } },
      async handle({ params, body }) {
        await setPromotions(api.sql, { accountId: params.id, ...body, at: new Date() })
        const consent = orNotFound(await findPromotions(api.sql, params.id))
        return { status: 200, body: consent }
      },
    }),
  ]
}
