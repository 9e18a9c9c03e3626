/**
 * The meanings of an outside party's codes. Each party has one table; its adapter makes its failures from the table,
 * and docs/codes/ shows it. A code in no table is transient, and an operator sees it (`undocumented`).
 */
import type { CallWatch } from '../call-watch.ts'
import { foreignCode, ProviderFailure, type ProviderFailureKind } from '../failure.ts'

export interface CodeMeaning {
  /** the code of our ProviderFailure */
  code: string
  /** `unknown_outcome` applies to calls that change something; for a reading call it is `unavailable` */
  kind: ProviderFailureKind
  /** the party's description */
  says: string
  /** who has to act; a failure that is not for nobody becomes an operator task at once */
  acts: 'nobody' | 'developers' | 'operator'
  /** the consequence for the customer */
  customer: string
  /** the shortest wait that the party's documentation asks for, milliseconds; an answer may ask for another one */
  waitMs?: number
}

/** A value that is no failure: a status, a reason or a type of event. */
export interface ValueMeaning {
  says: string
  /** whether another value may follow; a value in no table may pass */
  lasts: 'may pass' | 'final'
  acts: CodeMeaning['acts']
  customer: string
}

type Entry = Omit<CodeMeaning, 'code'> & Partial<Pick<CodeMeaning, 'code'>>

/** A table whose codes are ours as well, unless an entry has another one. */
export const tableOf = (entries: Record<string, Entry>): Record<string, CodeMeaning> =>
  Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, { code: key.toLowerCase(), ...entry }]))

/** The entry of a code; undefined for a code in no table, also for one that every object has, such as `constructor`. */
export const lookUp = <Meaning>(table: Readonly<Record<string, Meaning>>, code: string): Meaning | undefined =>
  Object.hasOwn(table, code) ? table[code] : undefined

type Details = Omit<NonNullable<ConstructorParameters<typeof ProviderFailure>[3]>, 'needsOperator'>

/** The failure of a listed code. @param changes whether the call changes something */
export function documented(
  party: string,
  { kind: given, code, acts, waitMs }: CodeMeaning,
  changes: boolean,
  details: Details = {},
): ProviderFailure {
  const kind = given === 'unknown_outcome' && !changes ? 'unavailable' : given
  const wait = waitMs === undefined ? {} : { retryAfterMs: waitMs }
  return new ProviderFailure(party, kind, code, { ...wait, ...details, needsOperator: acts !== 'nobody' })
}

/** The failure of an unlisted code: it may have been applied, may be temporary, and an operator has to look at it. */
export function undocumented(party: string, code: string, changes: boolean, details: Details = {}): ProviderFailure {
  const kind = changes ? 'unknown_outcome' : 'unavailable'
  return new ProviderFailure(party, kind, code, { ...details, needsOperator: true })
}

/**
 * Statuses that say who may ask and what there is, and that proxies answer by themselves. In a reply without the
 * party's words they say neither.
 */
const refusalStatuses: readonly number[] = [401, 403, 404]

/**
 * Whether a refusal is that of a proxy in front of the party, or of another server. @param isTheirs whether it has the
 * party's words
 */
export const isForeign = (status: number, isTheirs: boolean): boolean => refusalStatuses.includes(status) && !isTheirs

/**
 * The failure of a refusal that is not the party's: it may pass, counts as an outage of the party, and an operator has
 * to look at it, since our address of the party may be wrong.
 */
export function foreign(party: string, status: number, changes: boolean, details: Details = {}): ProviderFailure {
  // 401 and 403 refuse a request before it has an effect (RFC 9110, sections 15.5.2 and 15.5.4).
  const kind = changes && status === 404 ? 'unknown_outcome' : 'unavailable'
  return new ProviderFailure(party, kind, `${foreignCode}${status}`, { ...details, needsOperator: true })
}

/**
 * An outside party's code as ours, without anything else that it may have written there. @param otherwise for a text
 * that is no code
 */
export const codeFrom = (given: unknown, otherwise: string): string =>
  typeof given === 'string' && /^[A-Za-z][\w-]{0,63}$/.test(given) ? given.toLowerCase() : otherwise

/** Stands for a value that is no code. */
export const unreadable = 'unreadable'

/** Reports a value that no table has to the watch of a party. */
export type ReportUnlisted = (what: string, value: string) => void

export const reportingUnlisted =
  (party: string, watch: CallWatch | undefined): ReportUnlisted =>
  (what, value) =>
    watch?.unlisted?.(party, `${what}_${codeFrom(value, unreadable)}`)

/** Whether a table has a value. */
export const isListed = <Value extends string>(
  table: Readonly<Record<Value, unknown>>,
  value: string,
): value is Value => Object.hasOwn(table, value)
