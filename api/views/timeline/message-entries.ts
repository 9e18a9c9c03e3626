/** The part of a timeline about messages: mails and pushes to the customer, events to the app backend. */
import type { Sends } from '../../../db/connection/schema.ts'
import type { OrderRows } from '../../../db/operator/order-rows.ts'
import { plain } from '../plain.ts'
import type { Entry } from './timeline-entry.ts'

/** An enhanced status code (RFC 3463) alone is of a bounce; codes of refusals begin with `smtp_`. */
const bounce = /^[245][.]\d{1,3}[.]\d{1,3}$/

/** A mail or a push, by its row of the send ledger. */
export function ofSend(send: Sends): Entry[] {
  const [channel = '', occasion = ''] = send.kind.split(':')
  const source = channel === 'push' ? 'push' : 'mail'
  const name = `${source === 'push' ? 'push' : 'mail'} “${plain(occasion)}”`
  const code = send.code ?? 'no reason'
  const hasBounced = send.state === 'failed' && bounce.test(code)
  const words = {
    due: `could not send the ${name} yet: ${code}`,
    sending: `sends the ${name}`,
    sent: `sent the ${name}`,
    skipped: `left out the ${name}: ${plain(code)}`,
    failed: hasBounced ? `the ${name} came back: ${code}` : `could not send the ${name}: ${code}`,
  }[send.state]
  return [
    {
      at: send.done_at ?? send.first_at,
      source,
      actor: hasBounced ? 'the mail server' : 'us',
      words,
      isFault: ['due', 'failed'].includes(send.state),
    },
  ]
}

/** An event for the app backend, and whether its endpoints have it. */
export function ofEvent({ type, at, wanted, taken }: OrderRows['events'][number]): Entry {
  const missing = wanted - taken
  const state =
    missing === 0 ? `, all ${wanted} endpoints have it` : `, not taken yet by ${missing} of ${wanted} endpoints`
  return {
    at,
    source: 'event',
    actor: 'us',
    words: `notified the app backend: ${type}${wanted === 0 ? '' : state}`,
    isFault: missing > 0,
    workflowId: null,
  }
}
