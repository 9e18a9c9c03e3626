/**
 * Encrypts the payloads that Temporal stores. Each payload has the id of its key. Payloads whose key is gone, and
 * payloads that were never encrypted, do not make decoding fail: other payloads may be in the same list.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { type DataConverter, METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common'
import proto from '@temporalio/proto'
import { propertyOf } from '../shared/keys-of.ts'

const { Payload: PayloadMessage } = proto.temporal.api.common.v1

/** The first key encrypts, all of them decrypt; 32 bytes each. */
export interface PayloadKeyring {
  activeId: string
  keys: ReadonlyMap<string, Buffer>
}

/** The value of a payload whose key is gone. */
export const erasedMarker = '[erased]'
/** The value of a payload that does not decrypt under its key. */
export const unreadableMarker = '[unreadable]'

const encoding = 'binary/encrypted'
const keyIdField = 'encryption-key-id'
const ivBytes = 12
const tagBytes = 16

/** AES-256-GCM over the whole payload, its metadata included. `decode` never throws. */
export function createPayloadCodec(keyring: PayloadKeyring): PayloadCodec {
  const activeKey = keyring.keys.get(keyring.activeId)
  if (!activeKey) throw new Error(`no payload key ${keyring.activeId} in the keyring`)
  return {
    encode: async (payloads) => payloads.map((payload) => encrypt(payload, keyring.activeId, activeKey)),
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, keyring.keys)),
  }
}

/** The data converter of `Client` and `Worker`. The workflow bundle needs the same payload and failure converters. */
export function createDataConverter(keyring: PayloadKeyring | undefined): DataConverter {
  if (!keyring) return { payloadConverterPath }
  return { payloadConverterPath, payloadCodecs: [createPayloadCodec(keyring)], failureConverterPath }
}

/** The payload converter that does not throw at a payload in no known form. */
export const payloadConverterPath = fileURLToPath(new URL('./payload-converter.cjs', import.meta.url))

/** The failure converter that encrypts messages and stacks of failures, too. */
export const failureConverterPath = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url))

function encrypt(payload: Payload, keyId: string, key: Buffer): Payload {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(Buffer.from(keyId))
  const body = Buffer.concat([cipher.update(PayloadMessage.encode(payload).finish()), cipher.final()])
  return {
    metadata: { [METADATA_ENCODING_KEY]: Buffer.from(encoding), [keyIdField]: Buffer.from(keyId) },
    data: Buffer.concat([iv, cipher.getAuthTag(), body]),
  }
}

function decrypt(payload: Payload, keys: ReadonlyMap<string, Buffer>): Payload {
  const { metadata, data } = payload
  if (textOf(metadata?.[METADATA_ENCODING_KEY]) !== encoding) return payload
  const keyId = textOf(metadata?.[keyIdField])
  const key = keys.get(keyId)
  if (!key) return marker(erasedMarker)
  try {
    const sealed = Buffer.from(data ?? [])
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivBytes), { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(keyId))
    decipher.setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes))
    const plain = Buffer.concat([decipher.update(sealed.subarray(ivBytes + tagBytes)), decipher.final()])
    return PayloadMessage.decode(plain)
  } catch {
    return marker(unreadableMarker)
  }
}

/** The id of an encrypted payload's key; undefined for other values. */
export function keyIdOf({ metadata }: { metadata?: unknown }): string | undefined {
  if (textOf(propertyOf(metadata, METADATA_ENCODING_KEY)) !== encoding) return undefined
  return textOf(propertyOf(metadata, keyIdField))
}

const textOf = (bytes: unknown): string => (bytes instanceof Uint8Array ? Buffer.from(bytes).toString('utf8') : '')

function marker(text: string): Payload {
  return {
    metadata: { [METADATA_ENCODING_KEY]: Buffer.from('json/plain') },
    data: Buffer.from(JSON.stringify(text)),
  }
}
