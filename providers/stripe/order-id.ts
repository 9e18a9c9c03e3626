import { validate } from 'uuid'

/**
 * The order's id in an object's metadata. Users of the dashboard can write there: a text that is no id of ours names no
 * order, and PostgreSQL would refuse it.
 */
export function orderIdIn(metadata: { order_id?: unknown } | null | undefined): string | undefined {
  const id = metadata?.order_id
  return typeof id === 'string' && validate(id) ? id.toLowerCase() : undefined
}
