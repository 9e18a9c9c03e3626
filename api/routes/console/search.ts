import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { search } from '../../../db/operator/search.ts'
import { isPermitted } from '../../../policy/operators/operator-roles.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { pageOfFound, renderSearch } from '../../pages/console/search.tsx'
import { done, frameOf, goTo, headers } from './console-route.ts'

export function consoleSearchRoutes(api: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/console/search',
      tag: 'console',
      summary: 'Finds an account, an order or a privacy request; one that is found alone is shown',
      callers: ['console'],
      permission: 'look',
      unrecorded: 'reads; the access log has whose data',
      reads: ['orders', 'privacyRequests'],
      form: true,
      body: z.strictObject({ query: z.string().trim().max(320) }),
      responses: done,
      async handle({ body: { query }, caller }) {
        const { tried, found } = await search(api, query)
        const [only] = found
        const isOpen = only?.kind !== 'privacy_request' || isPermitted(caller.role, 'privacy')
        if (only && found.length === 1 && isOpen) return goTo(pageOfFound(only))
        const raw = renderSearch(frameOf(api, caller), { query, tried, found })
        return { status: 200, headers, about: found.flatMap(({ accountId }) => accountId ?? []), raw }
      },
    }),
  ]
}
