import { z } from 'zod'
import type { OpenApiDocument } from '../../http/openapi.ts'
import { Problem } from '../../http/problem.ts'
import { type ProblemCode, problems } from '../../http/problems.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { renderDocs, renderProblem } from '../../pages/docs.tsx'
import { layoutHeaders } from '../../pages/layout.tsx'

const pageHeaders = layoutHeaders({ maxAgeSeconds: 300 })

/**
 * The OpenAPI document, and the documentation as pages.
 * @param described returns all routes, these included, and their document; called once requests arrive
 */
export function docsRoutes(described: () => { routes: readonly Route[]; document: OpenApiDocument }): Route[] {
  let page: string | undefined
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
      responses: { 200: { description: 'A page', contentType: 'text/html' } },
      handle() {
        const { routes, document } = described()
        page ??= renderDocs(routes, document)
        return { status: 200, headers: pageHeaders, raw: page }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/problems/{code}',
      tag: 'documentation',
      summary: 'What a problem type means',
      callers: ['public'],
      params: z.object({ code: z.string().max(100) }),
      responses: { 200: { description: 'A page', contentType: 'text/html' } },
      problems: ['not_found'],
      handle({ params }) {
        if (!Object.hasOwn(problems, params.code)) throw new Problem('not_found')
        return { status: 200, headers: pageHeaders, raw: renderProblem(params.code as ProblemCode) }
      },
    }),
  ]
}
