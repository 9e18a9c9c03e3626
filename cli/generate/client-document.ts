/** The part of the OpenAPI document that programs call; the typed client is generated from it. */
import { createHash } from 'node:crypto'
import type { OpenApiDocument } from '../../api/http/openapi.ts'

/** Removes pages and webhooks, which no client calls, and the server's address, which the client chooses. */
export function clientDocument({ servers: _servers, paths = {}, ...document }: OpenApiDocument): OpenApiDocument {
  const called = Object.entries(paths).filter(
    ([path]) => path.startsWith('/v1/') && !path.startsWith('/v1/webhooks/') && !path.startsWith('/v1/sandbox/'),
  )
  return withoutEnumDefaults({ ...document, paths: Object.fromEntries(called) }) as OpenApiDocument
}

/** Generated Kotlin does not compile with the default of an enumeration among parameters: it becomes `x-default`. */
function withoutEnumDefaults(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutEnumDefaults)
  if (node === null || typeof node !== 'object') return node
  const { schema, ...parameter } = node as { in?: unknown; schema?: { enum?: unknown; default?: unknown } }
  if (typeof parameter.in === 'string' && schema?.enum && schema.default !== undefined) {
    const { default: chosen, ...rest } = schema
    return { ...parameter, schema: { ...rest, 'x-default': chosen } }
  }
  return Object.fromEntries(Object.entries(node).map(([name, part]) => [name, withoutEnumDefaults(part)]))
}

/** The first line of the generated types. It names the document that they were generated from. */
export function originLine(openApiJson: string): string {
  return `// Generated from openapi.json, SHA-256 ${createHash('sha256').update(openApiJson).digest('hex')}\n`
}
