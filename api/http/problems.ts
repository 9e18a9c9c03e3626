import { problem as titles } from '../../messages/en/problems.ts'
import { type FailureType, failures } from '../../shared/failures.ts'
import { entriesOf, tableOfEntries } from '../../shared/keys-of.ts'

/** One way in which the API can refuse. Its code is the last part of the problem's type URI. */
export interface ProblemDefinition {
  status: number
  title: string
  meaning: string
}

const ownProblems = {
  invalid_request: {
    status: 400,
    title: titles.invalid_request,
    meaning: 'Every fault is listed in `errors` with the field and the reason. Nothing was stored.',
  },
  malformed_json: {
    status: 400,
    title: titles.malformed_json,
    meaning: 'The body could not be read as a JSON object.',
  },
  idempotency_key_required: {
    status: 400,
    title: titles.idempotency_key_required,
    meaning: 'This operation must be safe to repeat: send a key that is new for each thing you want done.',
  },
  unauthenticated: {
    status: 401,
    title: titles.unauthenticated,
    meaning: 'Send `Authorization: Bearer` with a key or a sign-in token that is valid and not revoked.',
  },
  fresh_sign_in_required: {
    status: 401,
    title: titles.fresh_sign_in_required,
    meaning: 'This operation needs a recent sign-in: sign in again and repeat.',
  },
  no_account: {
    status: 403,
    title: titles.no_account,
    meaning: 'The sign-in token is valid, but nobody signed up with it yet, or the account was deleted.',
  },
  forbidden: {
    status: 403,
    title: titles.forbidden,
    meaning: 'The credentials are valid, but this operation is for another kind of caller.',
  },
  role_insufficient: {
    status: 403,
    title: titles.role_insufficient,
    meaning: 'Ask an operator of another role. An admin can give you one.',
  },
  scope_insufficient: {
    status: 403,
    title: titles.scope_insufficient,
    meaning:
      'The service key is restricted, and this operation is outside of its scopes. `x-scope` in /openapi.json names the one it needs.',
  },
  second_operator_required: {
    status: 403,
    title: titles.second_operator_required,
    meaning:
      'With what was refunded within 24 hours it is more than one operator may refund alone: another operator has to look at it, and do or start it.',
  },
  forged_form: {
    status: 403,
    title: titles.forged_form,
    meaning: 'It was not sent from our own page, or your session ended meanwhile. Open the page again.',
  },
  not_found: {
    status: 404,
    title: titles.not_found,
    meaning: 'There is no such resource, or it is not yours.',
  },
  method_not_allowed: {
    status: 405,
    title: titles.method_not_allowed,
    meaning: 'The `Allow` header lists what this address answers to.',
  },
  dispute_state_conflict: {
    status: 409,
    title: titles.dispute_state_conflict,
    meaning: 'It is decided, its evidence was submitted, or nothing is staged that could be submitted.',
  },
  email_taken: {
    status: 409,
    title: titles.email_taken,
    meaning: 'Sign in instead, or use another address.',
  },
  identity_taken: {
    status: 409,
    title: titles.identity_taken,
    meaning: 'The Apple, Google or Firebase user is linked to an account already.',
  },
  identity_differs: {
    status: 409,
    title: titles.identity_differs,
    meaning: 'An account is linked to one Apple user and one Google user at most.',
  },
  request_in_progress: {
    status: 409,
    title: titles.request_in_progress,
    meaning: 'Repeat it after the time in `Retry-After`.',
  },
  policy_version_taken: {
    status: 409,
    title: titles.policy_version_taken,
    meaning: 'What is posted never changes: give the new text a new version.',
  },
  erasure_step_conflict: {
    status: 409,
    title: titles.erasure_step_conflict,
    meaning:
      'The task is about no step of a deletion that waits for an operator, or the step ends another way; `detail` says which.',
  },
  webhook_endpoint_conflict: {
    status: 409,
    title: titles.webhook_endpoint_conflict,
    meaning:
      'It is disabled or deleted, its secret was changed less than a day ago, or there are as many as there can be.',
  },
  version_conflict: {
    status: 412,
    title: titles.version_conflict,
    meaning: 'It is no longer what `If-Match` says: read it again.',
  },
  body_too_large: {
    status: 413,
    title: titles.body_too_large,
    meaning: 'No operation needs a body of this size.',
  },
  unsupported_media_type: {
    status: 415,
    title: titles.unsupported_media_type,
    meaning: 'Send `Content-Type: application/json` in UTF-8, uncompressed or in a common encoding.',
  },
  idempotency_key_reused: {
    status: 422,
    title: titles.idempotency_key_reused,
    meaning: 'A key is for one request. Use a new one.',
  },
  sign_in_refused: {
    status: 422,
    title: titles.sign_in_refused,
    meaning:
      'Apple or Google does not accept this token or code: it has expired, was used before, or is meant for another app.',
  },
  webhook_refused: {
    status: 400,
    title: titles.webhook_refused,
    meaning: 'Its signature is missing, wrong or too old, or its body is not an event.',
  },
  too_many_requests: {
    status: 429,
    title: titles.too_many_requests,
    meaning: 'Repeat after the time in `Retry-After`.',
  },
  internal_error: {
    status: 500,
    title: titles.internal_error,
    meaning: 'A fault on our side. Give the request id when you ask us about it.',
  },
  restoring: {
    status: 503,
    title: titles.restoring,
    meaning: 'Orders newer than the backup are rebuilt first. Repeat after the time in `Retry-After`.',
  },
  unavailable: {
    status: 503,
    title: titles.unavailable,
    meaning: 'Something this operation needs does not answer. Repeat after the time in `Retry-After`.',
  },
} as const satisfies Record<string, ProblemDefinition>

/** `OrderStateConflict` becomes `order_state_conflict`. */
type SnakeCase<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? `${Lowercase<Head>}${Tail extends Uncapitalize<Tail> ? '' : '_'}${SnakeCase<Tail>}`
  : Name

/** The codes of failures of workflows. */
export type FailureProblemCode = SnakeCase<FailureType>

/** The code of a failure in the API: `PaymentRefused` becomes `payment_refused`. */
export const problemCodeOf = (type: FailureType): FailureProblemCode =>
  type.replaceAll(/\B[A-Z]/g, (letter) => `_${letter}`).toLowerCase() as FailureProblemCode

/** The refusals of workflows, under the codes of `shared/failures.ts`. */
const workflowProblems: Record<FailureProblemCode, ProblemDefinition> = tableOfEntries(
  entriesOf(failures).map(([type, { http, meaning }]) => [
    problemCodeOf(type),
    { status: http, title: meaning, meaning },
  ]),
)

export type ProblemCode = keyof typeof ownProblems | FailureProblemCode

export const problems: Record<ProblemCode, ProblemDefinition> = { ...ownProblems, ...workflowProblems }
