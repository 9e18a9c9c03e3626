import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { search } from '../../../db/operator/search.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { renderSearch } from '../../pages/console/search.tsx'
import { done, frameOf, goTo, headers } from './console-route.ts'

export function consoleSearchRoutes(api: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/console/search',
      tag: 'console',
      summary: 'Finds an account or an order; one that is found alone is shown',
      callers: ['console'],
      permission: 'look',
      reads: ['orders'],
      form: true,
      body: z.strictObject({ query: z.string().trim().max(320) }),
      responses: done,
      async handle({ body: { query }, caller }) {
        const { tried, found } = await search(api, query)
        const [only] = found
        if (only && found.length === 1) return goTo(`/console/${only.kind}s/${only.id}`)
        const raw = renderSearch(frameOf(api, caller), { query, tried, found })
        return { status: 200, headers, about: found.map(({ accountId }) => accountId), raw }
      },
    }),
  ]
}
