/**
 * API keys: `ama_<kind>_<id>_<secret>`. A secret of 256 random bits cannot be guessed, hence a plain hash protects it.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isServiceScope, type ServiceScope } from '../policy/access/service-scopes.ts'
import type { Queryable } from './connection/database.ts'
import type { ApiKeys } from './connection/schema.ts'
import { listEndpointsOfKey } from './events/recipients.ts'
import { raiseOperatorTask } from './operator-tasks.ts'

export type ApiKeyKind = ApiKeys['kind']

export interface ApiKey {
  id: string
  kind: ApiKeyKind
  label: string
  /** null: everything that callers of this kind may do */
  scopes: readonly ServiceScope[] | null
  createdAt: Date
  revokedAt: Date | null
}

const keyFormat = /^ama_(service|operator)_([0-9a-f]{16})_([\w-]{43})$/

/** Whether a bearer token has the form of an API key. */
export const looksLikeApiKey = (token: string): boolean => token.startsWith('ama_')

/** Creates a key. @returns its token, which is stored nowhere and can be shown only now */
export async function createApiKey(
  sql: Queryable,
  wanted: { kind: ApiKeyKind; label: string; scopes?: readonly ServiceScope[]; at: Date },
): Promise<{ id: string; token: string }> {
  const id = randomBytes(8).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  await sql`insert into api_keys (id, secret_hash, kind, label, created_at, scopes)
    values (${id}, ${hash(secret)}, ${wanted.kind}, ${wanted.label}, ${wanted.at}, ${wanted.scopes ?? null}::text[])`
  return { id, token: `ama_${wanted.kind}_${id}_${secret}` }
}

/** The key of a token, or the reason for its refusal. Never cached, so that a revoked key is refused at once. */
export async function verifyApiKey(
  sql: Queryable,
  token: string,
): Promise<ApiKey | { refused: 'malformed' | 'unknown' | 'revoked'; id: string | null }> {
  const [, kind, id = '', secret = ''] = keyFormat.exec(token) ?? []
  if (!kind) return { refused: 'malformed', id: null }
  const [row] = await sql<(ApiKeyRow & Pick<ApiKeys, 'secret_hash'>)[]>`
    select id, kind, label, created_at, revoked_at, scopes, secret_hash from api_keys where id = ${id}`
  const matches = timingSafeEqual(hash(secret), row?.secret_hash ?? hash(''))
  if (!row || !matches || row.kind !== kind) return { refused: 'unknown', id: row ? id : null }
  return row.revoked_at ? { refused: 'revoked', id } : apiKeyOf(row)
}

export async function listApiKeys(sql: Queryable): Promise<ApiKey[]> {
  const rows = await sql<ApiKeyRow[]>`
    select id, kind, label, created_at, revoked_at, scopes from api_keys order by created_at, id`
  return rows.map(apiKeyOf)
}

/** The operator task of an endpoint that is sent events at an address which a key gave it that was revoked since. */
export const endpointOfRevokedKeyTask = 'webhook_endpoint_of_revoked_key'

/**
 * Revokes a key. Whoever had it may have had our events sent to themselves, which goes on without the key; but the
 * endpoints of a key that is only replaced have to go on, too: an operator says whose they are.
 * @returns false when there is no such key or it is revoked already
 */
export async function revokeApiKey(sql: Queryable, id: string, at: Date): Promise<boolean> {
  const [key] = await sql`select 1 from api_keys where id = ${id} and revoked_at is null`
  if (!key) return false
  for (const endpoint of await listEndpointsOfKey(sql, id))
    await raiseOperatorTask(sql, { kind: endpointOfRevokedKeyTask, subjectId: endpoint.id, detail: id, at })
  const revoked = await sql`update api_keys set revoked_at = ${at} where id = ${id} and revoked_at is null`
  return revoked.count === 1
}

type ApiKeyRow = Pick<ApiKeys, 'id' | 'kind' | 'label' | 'created_at' | 'revoked_at' | 'scopes'>

const apiKeyOf = (row: ApiKeyRow): ApiKey => ({
  id: row.id,
  kind: row.kind,
  label: row.label,
  scopes: row.scopes?.filter(isServiceScope) ?? null,
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
})

const hash = (secret: string): Buffer => createHash('sha256').update(secret).digest()
