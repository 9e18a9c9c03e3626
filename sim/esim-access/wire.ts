/** The provider's replies, which are HTTP 200 with an envelope for success and failure, and its request signature. */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import { jsonFields } from '../fields.ts'
import { rawBody } from '../simulator.ts'

export type AuthMode = 'hmac' | 'simple'

const MESSAGES: Record<string, string> = {
  '000001': 'Server error',
  '000101': 'Request header (mandatory) is null',
  '000102': 'Wrong request header format',
  '000103': 'This https request method (get/post) is not supported',
  '000104': 'Request in invalid JSON format',
  '000105': 'Request parameters (mandatory) are not contained',
  '000106': 'Request parameter (mandatory) is null',
  '000107': 'The length of the request parameter does not meet the requirement',
  '101001': 'The timestamp of the request has expired',
  '101003': 'Request signature mismatch',
  '200002': 'This operation is not allowed due to the order status',
  '200005': 'Package price error',
  '200006': 'Total order price amount is wrong',
  '200007': 'Insufficient account balance',
  '200008': 'Order parameters error, please contact customer service',
  '200010': 'Profile is being downloaded for the order',
  '200011': 'Insufficient available Profiles for the package',
  '310241': 'The packageCode does not exist',
  '310272': 'The order does not exist',
  '310403': 'The ICCID is not in the order',
}

/** A business failure; any code below a route can throw it. */
export class Refusal extends Error {
  readonly errorCode: string
  constructor(errorCode: string) {
    super(MESSAGES[errorCode] ?? errorCode)
    this.errorCode = errorCode
  }
}

/** The vendor documents `success` as a string and `errorMessage`; live replies have a boolean and `errorMsg`. */
export function envelope(obj: unknown, refusal: Refusal | null, asDocumented: boolean): Record<string, unknown> {
  const message = refusal?.message ?? null
  const errorCode = refusal?.errorCode ?? '0'
  return asDocumented
    ? { success: String(!refusal), errorCode: refusal ? errorCode : null, errorMessage: message, obj }
    : { success: !refusal, errorCode, errorMsg: message, obj }
}

const SKEW_MS = 5 * 60_000

/** @throws Refusal for missing, malformed, too old or wrong request headers */
export function checkHeaders(request: Request, mode: AuthMode, accessCode: string, secretKey: string): void {
  const given = request.get('RT-AccessCode')
  if (!given) throw new Refusal('000101')
  if (given !== accessCode) throw new Refusal('101003')
  if (mode === 'simple') return
  const requestId = request.get('RT-RequestID')
  const timestamp = request.get('RT-Timestamp')
  const signature = request.get('RT-Signature')
  if (!requestId || !timestamp || !signature) throw new Refusal('000101')
  if (!/^\d{13}$/.test(timestamp)) throw new Refusal('000102')
  if (Math.abs(Date.now() - Number(timestamp)) > SKEW_MS) throw new Refusal('101001')
  const expected = createHmac('sha256', secretKey)
    .update(timestamp + requestId + accessCode + rawBody(request))
    .digest('hex')
  const shown = signature.toLowerCase()
  if (shown.length !== expected.length || !timingSafeEqual(Buffer.from(shown), Buffer.from(expected))) {
    throw new Refusal('101003')
  }
}

/** The JSON body; some endpoints need none. @throws Refusal */
export function jsonBody(request: Request): Record<string, unknown> {
  const fields = jsonFields(request)
  if (!fields) throw new Refusal('000104')
  return fields
}

/** A string field; the provider treats an empty one as missing. */
export function text(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

export const apiTime = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, '+0000')

export const webhookTime = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d{3}/, '')

export const newNotifyId = (): string => randomUUID().replaceAll('-', '')
