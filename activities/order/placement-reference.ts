import { randomUUID } from 'node:crypto'
import { v5 } from 'uuid'

/**
 * The common beginning of all references of an order's requests to one provider. It is computed from a random value in
 * the run's history, since a restored database may lack the placement: the provider's order is then found by the
 * history.
 */
export const placementPrefix = (reference: string, provider: string): string => v5(provider, reference)

/** The prefix of a reference: a UUID. */
export const prefixOf = (clientRef: string): string => clientRef.slice(0, uuidLength)

const uuidLength = 36

/**
 * The reference of a request to a provider.
 * @param reference undefined in runs from before this field existed
 * @param attempt of the activity, which may ask a provider anew each time
 */
export const placementReference = (reference: string | undefined, provider: string, attempt: number): string =>
  reference === undefined ? randomUUID() : `${placementPrefix(reference, provider)}-${attempt}`
