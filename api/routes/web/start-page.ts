import { defineRoute, html, type Route } from '../../http/route.ts'
import { favicon } from '../../pages/brand/wordmark.tsx'
import { layoutHeaders } from '../../pages/layout.tsx'
import { renderStart } from '../../pages/start.tsx'

export function startPageRoutes(): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/',
      tag: 'pages',
      summary: 'The start page, with links to the pages for persons',
      callers: ['public', 'visitor'],
      responses: { 200: html },
      handle: ({ page }) => ({
        status: 200,
        headers: layoutHeaders({ maxAgeSeconds: 300 }),
        raw: renderStart(page()),
      }),
    }),
    defineRoute({
      method: 'get',
      path: '/favicon.svg',
      tag: 'pages',
      summary: 'The icon of the pages',
      callers: ['public'],
      unlimited: true,
      responses: { 200: { description: 'An SVG image', contentType: 'image/svg+xml' } },
      handle: () => ({ status: 200, headers: { 'Cache-Control': 'public, max-age=604800' }, raw: favicon }),
    }),
  ]
}
