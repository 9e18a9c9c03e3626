import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { isKeyOf } from '../../../shared/keys-of.ts'
import type { OpenApiDocument } from '../../http/openapi.ts'
import { Problem } from '../../http/problem.ts'
import { problems } from '../../http/problems.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { renderEvents } from '../../pages/docs/events.tsx'
import { renderOrderStates } from '../../pages/docs/order-states.tsx'
import { renderProblemType } from '../../pages/docs/problem-type.tsx'
import { renderQuickstart } from '../../pages/docs/quickstart.tsx'
import { renderDocs } from '../../pages/docs/reference.tsx'
import { layoutHeaders } from '../../pages/layout.tsx'

/** The image has them: .dockerignore. */
const readDocument = (name: string): Promise<string> =>
  readFile(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const pageHeaders = layoutHeaders({ maxAgeSeconds: 300 })

/**
 * The OpenAPI document, and the documentation as pages.
 * @param described returns all routes, these included, and their document; called once requests arrive
 */
export function docsRoutes(described: () => { routes: readonly Route[]; document: OpenApiDocument }): Route[] {
  let page: string | undefined
  let quickstart: string | undefined
  let events: string | undefined
  return [
    defineRoute({
      method: 'get',
      path: '/openapi.json',
      tag: 'documentation',
      summary: 'This API as OpenAPI 3.1',
      callers: ['public'],
      responses: { 200: { description: 'The document', contentType: 'application/json' } },
      handle: () => ({
        status: 200,
        headers: { 'Cache-Control': 'public, max-age=300' },
        raw: JSON.stringify(described().document),
      }),
    }),
    defineRoute({
      method: 'get',
      path: '/docs',
      tag: 'documentation',
      summary: 'The documentation of this API as a page',
      callers: ['public'],
      responses: { 200: html },
      handle() {
        const { routes, document } = described()
        page ??= renderDocs(routes, document)
        return { status: 200, headers: pageHeaders, raw: page }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/docs/quickstart',
      tag: 'documentation',
      summary: 'From nothing to a delivered eSIM, and to each other outcome',
      callers: ['public'],
      responses: { 200: html },
      async handle() {
        quickstart ??= renderQuickstart(await readDocument('quickstart.md'))
        return { status: 200, headers: pageHeaders, raw: quickstart }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/docs/order-states',
      tag: 'documentation',
      summary: 'The states of an order, as a diagram and a table',
      callers: ['public'],
      responses: { 200: html },
      handle: () => ({ status: 200, headers: pageHeaders, raw: renderOrderStates() }),
    }),
    defineRoute({
      method: 'get',
      path: '/docs/events',
      tag: 'documentation',
      summary: 'The events that an app backend is sent: their types, their form and their deliveries',
      callers: ['public'],
      responses: { 200: html },
      async handle() {
        events ??= renderEvents({
          text: await readDocument('events.md'),
          example: await readDocument('examples/app-backend.ts'),
          document: described().document,
        })
        return { status: 200, headers: pageHeaders, raw: events }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/problems/{code}',
      tag: 'documentation',
      summary: 'Cause and remedy of a problem type',
      callers: ['public'],
      params: z.object({ code: z.string().max(100) }),
      responses: { 200: html },
      problems: ['not_found'],
      handle({ params }) {
        if (!isKeyOf(problems, params.code)) throw new Problem('not_found')
        return {
          status: 200,
          headers: pageHeaders,
          raw: renderProblemType(params.code, described().routes),
        }
      },
    }),
  ]
}
