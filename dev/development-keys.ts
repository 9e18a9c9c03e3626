import { type ApiKeyKind, createApiKey, verifyApiKey } from '../db/api-keys.ts'
import type { Database } from '../db/connection/database.ts'
import { keepSecrets, type Secrets } from './development-secrets.ts'

export type ApiKeys = Record<ApiKeyKind, string>

const names: Record<ApiKeyKind, string> = { service: 'AMA_SERVICE_KEY', operator: 'AMA_OPERATOR_KEY' }

/**
 * The service key and the operator key of a database: the stored ones if they are still valid, otherwise new ones.
 * @param file stores them beside the other secrets; without it new ones are made each time
 */
export async function developmentKeys(sql: Database, secrets: Secrets, file?: string): Promise<ApiKeys> {
  const keys: ApiKeys = {
    service: await keyFor(sql, 'service', secrets[names.service]),
    operator: await keyFor(sql, 'operator', secrets[names.operator]),
  }
  const isNew = keys.service !== secrets[names.service] || keys.operator !== secrets[names.operator]
  if (file !== undefined && isNew) {
    await keepSecrets(file, { ...secrets, [names.service]: keys.service, [names.operator]: keys.operator })
  }
  return keys
}

async function keyFor(sql: Database, kind: ApiKeyKind, kept: string | undefined): Promise<string> {
  if (kept !== undefined && !('refused' in (await verifyApiKey(sql, kept)))) return kept
  return (await createApiKey(sql, { kind, label: 'development', at: new Date() })).token
}
