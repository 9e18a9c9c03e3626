/** The faults of one request that go away by themselves, each by a name. */
import { keysOf } from '../../../../shared/keys-of.ts'
import type { NetworkFault } from '../../../harness/outside-network.ts'
import { seededInt } from '../../../harness/seed.ts'

/** How long a request waits here: longer than the slow name server takes, also on a busy machine. */
export const answerWithinMs = 2_500

/** What parties have been seen to send as `Retry-After` (RFC 9110, section 10.2.3), and what is none. */
const retryAfters = [
  '0',
  '1',
  '7200',
  '31536000',
  'Wed, 21 Oct 2099 07:28:00 GMT',
  'Mon, 01 Jan 2001 00:00:00 GMT',
  'soon',
]

const of = {
  'reply lost': { cut: 'after' },
  'request lost': { cut: 'before' },
  'answers 503': { status: 503 },
  'answers 429': { status: 429 },
  'answers 404': { status: 404, body: {} },
  malformed: { status: 200, body: 'OK' },
  slow: { delayMs: 100 },
  'too slow': { hang: 'after' },
  'unknown name': 'unknown name',
  'no name server': 'no name server',
  'slow name server': 'slow name server',
  refused: 'refused',
  'cut handshake': 'cut handshake',
  'expired certificate': 'expired certificate',
} as const satisfies Record<string, NetworkFault>

export type FaultName = keyof typeof of

/** A refusal for a time comes with another time each time. */
export const faultOf = (name: FaultName): NetworkFault =>
  name === 'answers 429'
    ? { ...of[name], headers: { 'Retry-After': retryAfters[seededInt(0, retryAfters.length)] ?? '' } }
    : of[name]

export const faultNames = keysOf(of)

/** No byte of the request has left: it has certainly not been done. */
export const unsent: readonly FaultName[] = [
  'unknown name',
  'no name server',
  'refused',
  'cut handshake',
  'expired certificate',
]

/** The request succeeds all the same. */
export const delays: readonly FaultName[] = ['slow', 'slow name server']
