/**
 * The meanings of the eSIM providers' error codes, which docs/codes/ shows.
 *
 * Sources: docs.esimaccess.com, "Error Codes"; developers.partners.airalo.com, "Error handling" and the named examples
 * of the replies of each endpoint.
 */
import type { CodeMeaning } from './meaning.ts'

const waits = 'waits; delivered when it has passed, refunded after the promised hour'
const nextProvider = 'the eSIM of the next provider, or the money back at once'
const noTopUp = 'a top-up is refunded at once; an order waits'
const keeps = 'keeps the eSIM; nothing is refunded'

const passes = (code: string, says: string): CodeMeaning => ({
  code,
  kind: 'unavailable',
  says,
  acts: 'nobody',
  customer: waits,
})
const doubtful = (says: string): CodeMeaning => ({ ...passes('provider_error', says), kind: 'unknown_outcome' })
const operators = (code: string, says: string): CodeMeaning => ({
  ...passes(code, says),
  kind: 'misconfigured',
  acts: 'operator',
})
const ours = (says: string): CodeMeaning => ({ ...operators('bad_request', says), acts: 'developers' })
const final = (code: string, says: string, customer = nextProvider): CodeMeaning => ({
  code,
  kind: 'rejected',
  says,
  acts: 'nobody',
  customer,
})

export const esimAccessCodes: Record<string, CodeMeaning> = {
  '000001': doubtful('Server error'),
  '000101': ours('A mandatory header is missing'),
  '000102': ours('A header has the wrong format'),
  '000103': ours('The HTTP method is not supported'),
  '000104': ours('The body is no JSON'),
  '000105': ours('A mandatory parameter is missing'),
  '000106': ours('A mandatory parameter is null'),
  '000107': ours('A parameter has the wrong length'),
  '101001': operators('clock_skew', 'The timestamp has expired'),
  '101002': operators('ip_not_allowed', 'The IP address is in the blocklist'),
  '101003': operators('bad_credentials', 'The signature does not match'),
  '200002': final('wrong_state', 'Not allowed in this state', noTopUp),
  '200005': final('price_changed', 'The price of the package is wrong'),
  '200006': final('price_changed', 'The total price is wrong'),
  '200007': operators('no_balance', 'Insufficient account balance'),
  '200008': ours('The parameters of the order are wrong'),
  '200009': final('wrong_state', 'Abnormal state of the order', noTopUp),
  '200010': passes('still_allocating', 'The profile is being made'),
  '200011': final('out_of_stock', 'Insufficient profiles for the package'),
  '310201': final('unknown_package', 'The bundle does not exist'),
  '310211': ours('The location does not exist'),
  '310221': ours('The currency does not exist'),
  '310231': ours('The carrier does not exist'),
  '310241': final('unknown_package', 'The package code does not exist'),
  '310243': final('unknown_package', 'The package does not exist'),
  '310251': ours('The vendor does not exist'),
  '310272': final('unknown_order', 'The order does not exist', waits),
  '310403': final('unknown_esim', 'The ICCID is not in the order', waits),
  '900001': passes('provider_busy', 'The system is busy'),
}

/** The answer to a call that reads what does not exist. */
export const airaloNotFound = final(
  'not_found',
  'HTTP 404 of a call that reads, in Airalo’s words: the order or eSIM does not exist',
  keeps,
)

/** Numbers are `code` in the body of a 422 (89: of a 403); names are fields that the form's validation refuses. */
export const airaloCodes: Record<string, CodeMeaning> = {
  '11': operators('no_balance', 'Insufficient credit'),
  '13': passes('provider_busy', 'The operator is under maintenance'),
  '14': ours('The checksum is invalid'),
  '23': final('top_up_unsupported', 'The operator has disabled the top-up', noTopUp),
  '33': final('out_of_stock', 'Insufficient stock of eSIMs'),
  '34': final('out_of_stock', 'The package is invalid or out of stock'),
  '43': ours('Bad request'),
  '53': doubtful('Something unexpected happened'),
  '73': final('expired', 'The eSIM has been recycled', noTopUp),
  '89': operators('ip_not_allowed', 'The IP address is not on the allowlist'),
  package_id: final('unknown_package', 'The selected package is invalid'),
  quantity_not_available: final('out_of_stock', 'SIM quantity is not available. Available quantity: N.'),
  iccid: final('unknown_esim', 'The selected ICCID is invalid', waits),
  any_other_field: ours('The parameter is invalid'),
  no_field: ours('Refused with a message alone, such as: The iccids field is required'),
  refund_without_id: {
    ...operators('refund_refused', 'Accepted, and no refund was requested: the ICCIDs do not belong to our company'),
    customer: 'has the money back; an operator asks Airalo’s support',
  },
  not_found: airaloNotFound,
}

/**
 * Refusals after which the same provider is not asked again for the same order or top-up, or for the return of the same
 * eSIMs together. That it does not know an eSIM or an order which it has made for us may pass.
 */
export const finalFor = {
  order: new Set(['out_of_stock', 'unknown_package', 'price_changed']),
  topUp: new Set(['out_of_stock', 'unknown_package', 'price_changed', 'expired', 'top_up_unsupported', 'wrong_state']),
  return: new Set(['refund_refused']),
} as const
