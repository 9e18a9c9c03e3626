/** The part of the OpenAPI document that programs call; the typed client is generated from it. */
import { createHash } from 'node:crypto'
import type { OpenApiDocument } from '../../api/http/openapi.ts'

/** Removes pages and webhooks, which no client calls, and the server's address, which the client chooses. */
export function clientDocument({ servers: _servers, paths = {}, ...document }: OpenApiDocument): OpenApiDocument {
  const called = Object.entries(paths).filter(
    ([path]) => path.startsWith('/v1/') && !path.startsWith('/v1/webhooks/') && !path.startsWith('/v1/sandbox/'),
  )
  return withoutEnumDefaults({ ...document, paths: Object.fromEntries(called) })
}

/** Generated Kotlin does not compile with the default of an enumeration among parameters: it becomes `x-default`. */
function withoutEnumDefaults(document: OpenApiDocument): OpenApiDocument {
  return JSON.parse(JSON.stringify(document), (_name, node) => {
    if (typeof node?.in !== 'string' || !node.schema?.enum || node.schema.default === undefined) return node
    const { default: chosen, ...schema } = node.schema
    return { ...node, schema: { ...schema, 'x-default': chosen } }
  })
}

/** The first line of the generated types. It names the document that they were generated from. */
export function originLine(openApiJson: string): string {
  return `// Generated from openapi.json, SHA-256 ${createHash('sha256').update(openApiJson).digest('hex')}\n`
}
