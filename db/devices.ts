import { setTimeout as pause } from 'node:timers/promises'
import { mostDevices } from '../policy/allowances.ts'
import { violatedConstraint } from './connection/constraint.ts'
import type { Queryable } from './connection/database.ts'
import type { Devices } from './connection/schema.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from './crypto/column-encryption.ts'

/**
 * C4 and C5, we keep a device identifier, a push token, app version, device model and system version: a device of a
 * customer.
 */
export interface Device {
  deviceId: string
  platform: Devices['platform']
  pushToken: string | null
  appVersion: string | null
  model: string | null
  osVersion: string | null
  appInstanceId: string | null
  seenAt: Date
}

const deviceIndex = (encryption: ColumnEncryption, deviceId: string): Buffer =>
  encryption.cipher.blindIndex('devices.device_id', deviceId)
const pushTokenIndex = (encryption: ColumnEncryption, pushToken: string): Buffer =>
  encryption.cipher.blindIndex('devices.push_token', pushToken)

/** Another request may give the token to its device between our two statements; it can lose as often as it wins. */
const attempts = 12
/** Requests that come at once spread over twice this long, and the more the longer it takes. */
const pauseMs = 5

/**
 * Replaces what is known of a device. A push token is one phone's: whichever device had it before loses it. Two
 * statements without a transaction, so that two requests that swap tokens cannot block each other.
 * @returns `missing` when there is no such account, `contended` when others took the token each time
 */
export async function putDevice(
  sql: Queryable,
  encryption: ColumnEncryption,
  accountId: string,
  device: Device,
): Promise<'stored' | 'missing' | 'contended'> {
  const key = await findDataKey(sql, encryption, accountId)
  if (!key) return 'missing'
  const fields = tableEncryption(encryption.cipher, key, 'devices')
  const index = deviceIndex(encryption, device.deviceId)
  const tokenIndex = device.pushToken === null ? null : pushTokenIndex(encryption, device.pushToken)
  const columns = {
    device_id: fields.seal('device_id', device.deviceId),
    platform: device.platform,
    push_token: fields.sealOptional('push_token', device.pushToken),
    push_token_index: tokenIndex,
    app_version: fields.sealOptional('app_version', device.appVersion),
    model: fields.sealOptional('model', device.model),
    os_version: fields.sealOptional('os_version', device.osVersion),
    app_instance_id: fields.sealOptional('app_instance_id', device.appInstanceId),
    seen_at: device.seenAt,
  } satisfies Partial<Devices>
  for (let attempt = 1; ; attempt++) {
    if (tokenIndex) {
      await sql`update devices set push_token = null, push_token_index = null
        where push_token_index = ${tokenIndex} and (account_id, device_index) <> (${accountId}, ${index})`
    }
    try {
      await sql`insert into devices ${sql({ account_id: accountId, device_index: index, ...columns })}
        on conflict (account_id, device_index) do update set ${sql(columns)}`
      await deleteLongUnseen(sql, accountId)
      return 'stored'
    } catch (error) {
      const constraint = violatedConstraint(error)
      if (constraint === 'devices_account_id_fkey') return 'missing'
      if (constraint !== 'devices_push_token_index_key') throw error
      if (attempt === attempts) return 'contended'
    }
    await pause(pauseMs * Math.min(2 ** attempt, 100) * Math.random())
  }
}

/** A statement of its own after each insert: of many inserts at once, the last one sees the others. */
async function deleteLongUnseen(sql: Queryable, accountId: string): Promise<void> {
  await sql`
    delete from devices where account_id = ${accountId} and device_index in (
      select device_index from devices where account_id = ${accountId}
      order by seen_at desc, device_index offset ${mostDevices})`
}

/** Deletes a device. @returns false when there is no such device */
export async function deleteDevice(
  sql: Queryable,
  encryption: ColumnEncryption,
  accountId: string,
  deviceId: string,
): Promise<boolean> {
  const gone = await sql`
    delete from devices where account_id = ${accountId} and device_index = ${deviceIndex(encryption, deviceId)}`
  return gone.count === 1
}

/** The account's decrypted devices, the last seen first. */
export async function listDevices(sql: Queryable, encryption: ColumnEncryption, accountId: string): Promise<Device[]> {
  const key = await findDataKey(sql, encryption, accountId)
  if (!key) return []
  const fields = tableEncryption(encryption.cipher, key, 'devices')
  const rows = await sql<Omit<Devices, 'account_id' | 'device_index' | 'push_token_index'>[]>`
    select device_id, platform, push_token, app_version, model, os_version, app_instance_id, seen_at
    from devices where account_id = ${accountId} order by seen_at desc, device_index`
  return rows.map((row) => ({
    deviceId: fields.open('device_id', row.device_id),
    platform: row.platform,
    pushToken: fields.openOptional('push_token', row.push_token),
    appVersion: fields.openOptional('app_version', row.app_version),
    model: fields.openOptional('model', row.model),
    osVersion: fields.openOptional('os_version', row.os_version),
    appInstanceId: fields.openOptional('app_instance_id', row.app_instance_id),
    seenAt: row.seen_at,
  }))
}

/** Whether a push token is that of one of the account's phones at this moment. */
export async function hasPushToken(
  sql: Queryable,
  encryption: ColumnEncryption,
  accountId: string,
  pushToken: string,
): Promise<boolean> {
  const rows = await sql`select 1 from devices
    where account_id = ${accountId} and push_token_index = ${pushTokenIndex(encryption, pushToken)}`
  return rows.length > 0
}

/** C4, we keep a push token for each device: deletes a token that FCM calls unregistered. */
export async function deletePushToken(sql: Queryable, encryption: ColumnEncryption, pushToken: string): Promise<void> {
  await sql`update devices set push_token = null, push_token_index = null
    where push_token_index = ${pushTokenIndex(encryption, pushToken)}`
}

export async function countDevices(sql: Queryable, accountId: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from devices where account_id = ${accountId}`
  return row?.count ?? 0
}
