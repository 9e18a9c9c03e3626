/**
 * The meanings of the codes of Meta's Graph API. Google Analytics has none: it answers each event with 2xx.
 *
 * Sources: developers.facebook.com/docs/graph-api/guides/error-handling,
 * developers.facebook.com/docs/marketing-api/overview/rate-limiting (613) and
 * developers.facebook.com/docs/marketing-api/error-reference (100).
 */
import { type CodeMeaning, lookUp } from './meaning.ts'

const nothing = 'nothing: a purchase is measured later, or never'

const passes = (code: string, says: string): CodeMeaning => ({
  code: `graph_${code}`,
  kind: 'unavailable',
  says,
  acts: 'nobody',
  customer: nothing,
})
const operators = (code: string, says: string): CodeMeaning => ({
  ...passes(code, says),
  kind: 'misconfigured',
  acts: 'operator',
})

/** By `error.code`; a range has the codes from its first to its last. */
export const metaCodes: Readonly<Record<string, CodeMeaning>> = {
  '1': passes('1', 'Unknown, possibly an outage'),
  '2': passes('2', 'Service temporarily down'),
  '3': operators('3', 'The app may not call the method'),
  '4': passes('4', 'Too many calls of the app'),
  '10': operators('10', 'The permission is missing or was removed'),
  '17': passes('17', 'Too many calls of the user'),
  '100': { ...operators('100', 'A parameter is invalid'), kind: 'rejected', acts: 'developers' },
  '102': operators('102', 'The access token has expired or was revoked'),
  '190': operators('190', 'The access token has expired'),
  '200-299': operators('200', 'A permission is missing or was removed'),
  '341': passes('341', 'A limit of the app is reached'),
  '368': { ...operators('368', 'Blocked for some time, for a breach of policies'), kind: 'unavailable' },
  '613': passes('613', 'Too many calls'),
}

/** The meaning of a code; undefined for one in no table. */
export function metaMeaning(code: number): CodeMeaning | undefined {
  const listed = lookUp(metaCodes, code >= 200 && code <= 299 ? '200-299' : String(code))
  return listed && { ...listed, code: `graph_${code}` }
}
