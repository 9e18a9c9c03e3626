/**
 * R4, security logs are kept for at most 90 days: the security log. Each UTC day has a partition, so that a whole day
 * can be dropped.
 */
import { insertIntoDay } from './access/daily-partitions.ts'
import type { Database } from './connection/database.ts'
import { type ColumnEncryption, tableEncryption } from './crypto/column-encryption.ts'

export type SecurityEventKind =
  | 'sign_up'
  | 'sign_in'
  | 'authentication_failed'
  | 'identity_refused'
  | 'sign_in_provider_event'
  | 'operator_action'
  | 'data_exported'
  | 'email_change'
  | 'signed_out'
  | 'key_created'
  | 'key_revoked'
  | 'operator_saved'
  | 'operator_disabled'

export interface SecurityEvent {
  kind: SecurityEventKind
  /** `service:<key id>`, `operator:<key id>`, `person` or `anonymous`: never a name */
  actor: string
  accountId?: string | undefined
  ip?: string | undefined
  /** a route template or a code, never free text */
  detail?: string | undefined
  requestId?: string | undefined
  at: Date
}

/**
 * Writes one event. It creates a missing partition, so that late housekeeping loses no event. For an account that is
 * erased, even at the same moment, it writes no row that would survive the erasure.
 */
export async function recordSecurityEvent(
  sql: Database,
  encryption: ColumnEncryption,
  event: SecurityEvent,
): Promise<void> {
  const key = await encryption.dataKeys.system(sql)
  const ip = tableEncryption(encryption.cipher, key, 'security_log').sealOptional('ip', event.ip)
  await insertIntoDay(
    sql,
    'security_log',
    event.at,
    () => sql`
      insert into security_log (at, kind, actor, account_id, ip, detail, request_id)
      values (${event.at}, ${event.kind}, ${event.actor},
        (select id from accounts where id = ${event.accountId ?? null} for key share), ${ip}, ${event.detail ?? null},
        ${event.requestId ?? null})`,
  )
}
