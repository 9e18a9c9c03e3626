import { type FailureType, failures } from '../../shared/failures.ts'

/** One way in which the API can refuse. Its code is the last part of the problem's type URI. */
export interface ProblemDefinition {
  status: number
  title: string
  meaning: string
}

const ownProblems = {
  invalid_request: {
    status: 400,
    title: 'The request is not valid',
    meaning: 'Every fault is listed in `errors` with the field and the reason. Nothing was stored.',
  },
  malformed_json: {
    status: 400,
    title: 'The body is not JSON',
    meaning: 'The body could not be read as a JSON object.',
  },
  idempotency_key_required: {
    status: 400,
    title: 'An Idempotency-Key header is required',
    meaning: 'This operation must be safe to repeat: send a key that is new for each thing you want done.',
  },
  unauthenticated: {
    status: 401,
    title: 'Credentials are missing or not accepted',
    meaning: 'Send `Authorization: Bearer` with a key or a sign-in token that is valid and not revoked.',
  },
  fresh_sign_in_required: {
    status: 401,
    title: 'A fresh sign-in is required',
    meaning: 'This operation wants proof that the person is there now: sign in again and repeat.',
  },
  no_account: {
    status: 403,
    title: 'This sign-in has no account',
    meaning: 'The sign-in token is valid, but nobody signed up with it yet, or the account was deleted.',
  },
  forbidden: {
    status: 403,
    title: 'Not for this caller',
    meaning: 'The credentials are valid, but this operation is for another kind of caller.',
  },
  role_insufficient: {
    status: 403,
    title: 'Your role does not permit this',
    meaning: 'Ask an operator of another role. An admin can give you one.',
  },
  forged_form: {
    status: 403,
    title: 'The form cannot be accepted',
    meaning: 'It was not sent from our own page, or your session ended meanwhile. Open the page again.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    meaning: 'There is no such resource, or it is not yours.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    meaning: 'The `Allow` header lists what this address answers to.',
  },
  dispute_state_conflict: {
    status: 409,
    title: 'The dispute is not in a state that allows this',
    meaning: 'It is decided, its evidence was submitted, or nothing is staged that could be submitted.',
  },
  email_taken: {
    status: 409,
    title: 'This e-mail address has an account',
    meaning: 'Sign in instead, or use another address.',
  },
  identity_taken: {
    status: 409,
    title: 'This sign-in belongs to an account',
    meaning: 'The Apple, Google or Firebase user is linked to an account already.',
  },
  identity_differs: {
    status: 409,
    title: 'The account has another sign-in of this provider',
    meaning: 'An account is linked to one Apple user and one Google user at most.',
  },
  request_in_progress: {
    status: 409,
    title: 'The same request is being processed',
    meaning: 'Repeat it after the time in `Retry-After`.',
  },
  policy_version_taken: {
    status: 409,
    title: 'There is another policy of this version',
    meaning: 'What is posted never changes: give the new text a version of its own.',
  },
  webhook_endpoint_conflict: {
    status: 409,
    title: 'The webhook endpoint is not in a state that allows this',
    meaning: 'It is disabled, its secret was changed less than a day ago, or there are as many as there can be.',
  },
  version_conflict: {
    status: 412,
    title: 'The resource has changed',
    meaning: 'It is no longer what `If-Match` says: read it again.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    meaning: 'No operation needs a body of this size.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body must be JSON',
    meaning: 'Send `Content-Type: application/json` in UTF-8, uncompressed or in a common encoding.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The Idempotency-Key was used for something else',
    meaning: 'A key stands for one request. Use a new one.',
  },
  sign_in_refused: {
    status: 422,
    title: 'The sign-in could not be verified',
    meaning: 'Apple or Google does not stand by this token or code: expired, used before, or meant for another app.',
  },
  webhook_refused: {
    status: 400,
    title: 'The event is not accepted',
    meaning: 'Its signature is missing, wrong or too old, or its body is not an event.',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests',
    meaning: 'Repeat after the time in `Retry-After`.',
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong',
    meaning: 'A fault on our side. Give the request id when you ask us about it.',
  },
  restoring: {
    status: 503,
    title: 'The database is being restored',
    meaning: 'Orders newer than the backup are rebuilt first. Repeat after the time in `Retry-After`.',
  },
  unavailable: {
    status: 503,
    title: 'Not available right now',
    meaning: 'Something this operation needs does not answer. Repeat after the time in `Retry-After`.',
  },
} as const satisfies Record<string, ProblemDefinition>

/** `OrderStateConflict` becomes `order_state_conflict`. */
type SnakeCase<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? `${Lowercase<Head>}${Tail extends Uncapitalize<Tail> ? '' : '_'}${SnakeCase<Tail>}`
  : Name

export const problemCodeOf = (type: FailureType): SnakeCase<FailureType> =>
  type.replaceAll(/\B[A-Z]/g, (letter) => `_${letter}`).toLowerCase() as SnakeCase<FailureType>

/** The refusals of workflows, under the codes of `shared/failures.ts`. */
const workflowProblems = Object.fromEntries(
  Object.entries(failures).map(([type, { http, meaning }]) => [
    problemCodeOf(type as FailureType),
    { status: http, title: meaning, meaning },
  ]),
) as Record<SnakeCase<FailureType>, ProblemDefinition>

export type ProblemCode = keyof typeof ownProblems | SnakeCase<FailureType>

export const problems: Record<ProblemCode, ProblemDefinition> = { ...ownProblems, ...workflowProblems }
