/** The part of the OpenAPI document that is for programs: what the typed client is made from. */
import { createHash } from 'node:crypto'
import type { OpenApiDocument } from '../api/http/openapi.ts'

/** Without pages and webhooks, which no client calls, and without the address, which is the client's to say. */
export function clientDocument({ servers: _servers, paths = {}, ...document }: OpenApiDocument): OpenApiDocument {
  const called = Object.entries(paths).filter(
    ([path]) => path.startsWith('/v1/') && !path.startsWith('/v1/webhooks/') && !path.startsWith('/v1/sandbox/'),
  )
  return { ...document, paths: Object.fromEntries(called) }
}

/** The first line of the generated types: which document they were made from. */
export function originLine(openApiJson: string): string {
  return `// Generated from openapi.json, SHA-256 ${createHash('sha256').update(openApiJson).digest('hex')}\n`
}
