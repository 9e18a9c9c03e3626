/** A refusal with Stripe's error object (docs.stripe.com/api/errors) and the codes that the SDK lists. */
export interface StripeErrorBody {
  type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error'
  message: string
  code?: string
  decline_code?: string
  param?: string
  payment_intent?: unknown
}

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly body: StripeErrorBody
  /** refused before the endpoint ran: the idempotency store keeps no answer */
  readonly beforeExecution: boolean

  constructor(status: number, body: StripeErrorBody, beforeExecution = false) {
    super(body.message)
    this.status = status
    this.body = body
    this.beforeExecution = beforeExecution
  }
}

/** A parameter is invalid: 400, and nothing is executed. Not every such error has a code. */
export const invalidParameter = (code: string | undefined, param: string, message: string): Refusal =>
  new Refusal(400, { type: 'invalid_request_error', ...(code !== undefined && { code }), param, message }, true)

/** The path does not exist, for this account or at all: 404. */
export const unknownPath = (): Refusal =>
  new Refusal(404, { type: 'invalid_request_error', message: 'Unrecognized request URL.' }, true)

/** The object named in the path (404) or in a parameter (400) does not exist. */
export const missing = (kind: string, id: string, param?: string): Refusal =>
  new Refusal(param ? 400 : 404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param: param ?? 'id',
    message: `No such ${kind}: '${id}'`,
  })

/** The state of an object forbids the request: 400, and stored under the idempotency key. */
export const refusedByState = (code: string | undefined, message: string, paymentIntent?: unknown): Refusal =>
  new Refusal(400, {
    type: 'invalid_request_error',
    ...(code !== undefined && { code }),
    message,
    ...(paymentIntent === undefined ? {} : { payment_intent: paymentIntent }),
  })
