/**
 * All failure types, as `ApplicationFailure.type` has them. They decide about HTTP statuses, retries and API
 * documentation.
 */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import { isKeyOf } from './keys-of.ts'

interface FailureKind {
  retryable: boolean
  /** HTTP status when the failure reaches a caller of the API */
  http: number
  meaning: string
  /** expected in normal operation: not logged as an error */
  benign?: true
}

export const failures = {
  AccountMissing: { retryable: false, http: 404, meaning: 'The account does not exist or was erased' },
  AccountInUse: { retryable: false, http: 409, meaning: 'The account is used again, and is kept' },
  PackageUnavailable: { retryable: false, http: 409, meaning: 'The package is not on sale' },
  PriceChanged: { retryable: false, http: 409, meaning: 'The price is another one than the customer has seen' },
  PaymentUnavailable: { retryable: true, http: 503, meaning: 'The payment processor cannot be reached' },
  PaymentRefused: { retryable: false, http: 502, meaning: 'The payment processor refused the request' },
  PaymentPending: { retryable: true, http: 409, meaning: 'The payment is still being processed', benign: true },
  RefundRefused: { retryable: false, http: 409, meaning: 'The payment processor refused the refund' },
  RefundExceedsPayment: { retryable: false, http: 409, meaning: 'The amount is more than what is left of the payment' },
  RefundUnderWay: {
    retryable: true,
    http: 409,
    meaning: 'Another refund of this order is being made',
    benign: true,
  },
  ProviderUnavailable: { retryable: true, http: 503, meaning: 'The eSIM provider cannot be reached' },
  ProviderMisconfigured: { retryable: true, http: 503, meaning: 'The eSIM provider refuses our account' },
  StillAllocating: { retryable: true, http: 409, meaning: 'The provider is still allocating the eSIM', benign: true },
  OutOfStock: { retryable: false, http: 409, meaning: 'No provider can fill the order' },
  PlacementUnsettled: {
    retryable: true,
    http: 503,
    meaning: 'It is not certain yet what the provider holds',
    benign: true,
  },
  EsimInUse: {
    retryable: false,
    http: 409,
    meaning: 'An eSIM that was installed, used or topped up cannot be returned',
  },
  EsimStillLives: { retryable: true, http: 409, meaning: 'The eSIM has neither expired nor ended', benign: true },
  MailUnavailable: { retryable: true, http: 503, meaning: 'The mail server cannot be reached' },
  PushUnavailable: { retryable: true, http: 503, meaning: 'The push service cannot be reached' },
  MeasurementUnavailable: { retryable: true, http: 503, meaning: 'A measurement service cannot be reached' },
  SignInPartyUnavailable: { retryable: true, http: 503, meaning: 'A sign-in provider cannot be reached' },
  ErasureRefused: { retryable: false, http: 502, meaning: 'Somebody refused to delete what they hold' },
  ErasureIncomplete: { retryable: true, http: 409, meaning: 'Something of the person is still there', benign: true },
  OrderStateConflict: { retryable: false, http: 409, meaning: 'The order is not in a state that allows this' },
  OrderMissing: { retryable: false, http: 404, meaning: 'The order does not exist or was erased' },
  WithdrawalNotOpened: {
    retryable: false,
    http: 409,
    meaning: 'The withdrawal has to be opened before it is confirmed',
  },
  WithdrawalPeriodOver: { retryable: false, http: 409, meaning: 'The period for a withdrawal has ended' },
  WithdrawalRightLost: {
    retryable: false,
    http: 409,
    meaning: 'An eSIM of the order was installed or used, which ends the right of withdrawal',
  },
  EmailChangeStateConflict: { retryable: false, http: 409, meaning: 'The change of address is over' },
  KeyRotationRunning: { retryable: false, http: 409, meaning: 'A rotation of these keys is under way' },
  KeyringBehind: {
    retryable: true,
    http: 409,
    meaning: 'This process does not encrypt with the new key yet',
    benign: true,
  },
  CampaignStateConflict: { retryable: false, http: 409, meaning: 'The campaign is not in a state that allows this' },
  BulkActionStateConflict: {
    retryable: false,
    http: 409,
    meaning: 'The bulk action is not in a state that allows this',
  },
  PrivacyRequestStateConflict: {
    retryable: false,
    http: 409,
    meaning: 'The request is not in a state that allows this',
  },
  PolicyStateConflict: {
    retryable: false,
    http: 409,
    meaning: 'The policy version is not in a state that allows this',
  },
  MessageUnreadable: { retryable: false, http: 400, meaning: 'The message to a run is not of the expected form' },
  BackupToolMissing: { retryable: false, http: 503, meaning: 'There is no pg_dump that fits the database server' },
  BackupFailed: { retryable: true, http: 503, meaning: 'A backup could not be made or restored' },
  TransparencyLogForked: {
    retryable: false,
    http: 409,
    meaning: 'The transparency log and its copy outside go apart',
  },
  BreachStateConflict: { retryable: false, http: 409, meaning: 'The breach is not in a state that allows this' },
  BackupUnreadable: { retryable: false, http: 409, meaning: 'The backup is not there or not what it was' },
} as const satisfies Record<string, FailureKind>

export type FailureType = keyof typeof failures

/**
 * Makes a failure of one of the types.
 * @param options.code machine-readable detail, free of personal data
 * @param options.nextRetryDelay milliseconds, instead of the retry policy's next interval
 */
export function failure(
  type: FailureType,
  options: { code?: string; nextRetryDelay?: number } = {},
): ApplicationFailure {
  const kind: FailureKind = failures[type]
  return ApplicationFailure.create({
    type,
    message: kind.meaning,
    nonRetryable: !kind.retryable,
    ...(options.code === undefined ? {} : { details: [options.code] }),
    ...(options.nextRetryDelay === undefined ? {} : { nextRetryDelay: options.nextRetryDelay }),
    ...(kind.benign ? { category: ApplicationFailureCategory.BENIGN } : {}),
  })
}

/** The failure type of an error or of one of its causes; undefined for other errors. */
export function failureType(error: unknown): FailureType | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type && isKeyOf(failures, cause.type)) return cause.type
  }
  return undefined
}

/** The `code` that `failure` was given, from the error or one of its causes. */
export function failureCode(error: unknown): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const detail = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined
    if (typeof detail === 'string') return detail
  }
  return undefined
}

/** The value of a promise that has settled. @throws the reason of its rejection */
export function valueOrThrow<Value>(result: PromiseSettledResult<Value>): Value {
  if (result.status === 'rejected') throw result.reason
  return result.value
}
