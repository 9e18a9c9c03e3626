import type { Config } from '../../config.ts'
import type { Language } from '../../messages/languages.ts'
import type { ServiceScope } from '../../policy/access/service-scopes.ts'
import { isPermitted, type OperatorPermission, type OperatorRole } from '../../policy/operators/operator-roles.ts'
import { evidenceOf } from '../../policy/vat.ts'
import { orNotFound, Problem } from './problem.ts'

/** Who sent a request. A newcomer is a verified Firebase user without an account. */
export type Caller =
  | { kind: 'public' }
  | { kind: 'service'; keyId: string; scopes?: readonly ServiceScope[] | null }
  | { kind: 'operator'; keyId: string; label: string }
  | { kind: 'person'; accountId: string; firebaseUid: string; signedInAt: Date }
  | { kind: 'newcomer'; firebaseUid: string; signedInAt: Date; verifiedEmail: string | undefined }
  | Visitor
  | ConsoleUser

/** A person on the web pages, known by a session cookie. JSON routes never accept such a cookie. */
export interface Visitor {
  kind: 'visitor'
  accountId: string
  /** of the account */
  language: Language
  signedInAt: Date
  /** names the session in the access log; opens nothing */
  session: string
  sessionId: string
  /** the token that every form of this session must carry */
  csrf: string
}

/** An operator on the console, known by a session cookie. */
export interface ConsoleUser {
  kind: 'console'
  /** of the person, or of the operator key */
  id: string
  label: string
  role: OperatorRole
  signedInAt: Date
  /** names the session in the access log; opens nothing */
  session: string
  sessionId: string
  csrf: string
}

export type CallerKind = Caller['kind']

/** The callers that a route's handler can meet: every kind, where the public may call. */
export type CallerOf<Kind extends CallerKind> = 'public' extends Kind ? Caller : Extract<Caller, { kind: Kind }>

/** The name of a caller in the security log and the request log. It identifies keys and operators, but no customer. */
export function actorOf(caller: Caller): string {
  if (caller.kind === 'console') return `operator:${caller.id}`
  if (caller.kind === 'visitor') return 'person'
  return caller.kind === 'service' || caller.kind === 'operator' ? `${caller.kind}:${caller.keyId}` : caller.kind
}

/**
 * The scope in which an Idempotency-Key is unique. All service keys share one scope, since the app backend stays the
 * same when its key is replaced; operator keys share one likewise. A newcomer has the scope of the person whom a sign-up
 * makes of them. Whose requests are counted together is in limits.ts: there each key is for itself.
 */
export function scopeOf(caller: Caller): string {
  if (caller.kind === 'visitor') return `visitor:${caller.accountId}`
  return 'firebaseUid' in caller ? `person:${caller.firebaseUid}` : caller.kind
}

/**
 * Lets a person reach only what belongs to their own account. The refusal does not tell whether the resource exists.
 * @throws Problem not_found
 */
export function assertReaches(caller: Caller, accountId: string): void {
  if (caller.kind === 'service' || caller.kind === 'operator') return
  if (caller.kind !== 'person' || caller.accountId !== accountId) throw new Problem('not_found')
}

/** @returns what was looked for, if the caller reaches it. @throws Problem not_found */
export function reachableBy<Owned extends { account_id: string }>(caller: Caller, found: Owned | undefined): Owned {
  const owned = orNotFound(found)
  assertReaches(caller, owned.account_id)
  return owned
}

/**
 * Whether an operator on the console has the role for a route; other callers need none.
 * @param permission of the route; a route that names none is for admins
 */
export const hasRole = (caller: Caller, permission: OperatorPermission = 'everything'): boolean =>
  caller.kind !== 'console' || isPermitted(caller.role, permission)

/**
 * ISO 3166, of the buyer's IP address, as the CDN says it: a piece of evidence for the tax (docs/vat.md). A request of
 * the app backend comes from the backend's address.
 * @param header reads a header of the request
 */
export function ipCountryOf(
  { COUNTRY_HEADER: name }: Pick<Config, 'COUNTRY_HEADER'>,
  caller: Caller,
  header: (name: string) => string | undefined,
): string | undefined {
  const isBuyer = caller.kind === 'person' || caller.kind === 'visitor'
  return (name && isBuyer && evidenceOf(header(name))) || undefined
}

/** Whether the key of the app backend may call a route: one that names no scope is for keys without a restriction. */
export const hasScope = (caller: Caller, scope: ServiceScope | undefined): boolean =>
  caller.kind !== 'service' || !caller.scopes || (scope !== undefined && caller.scopes.includes(scope))

/** The parts of a route that say whether it is an act of an operator. */
interface ActingRoute {
  method: string
  callers: readonly CallerKind[]
  unrecorded?: string | undefined
}

/** Callers whose request has left an entry that says who acted. A caller is an object of one request. */
const withEntry = new WeakSet<Caller>()

/** Notes that the request of a caller has its entry, or that an earlier request for the same has left one. */
export function noteEntry(caller: Caller): void {
  withEntry.add(caller)
}

/** Whether a route is an act of an operator, which leaves an entry. */
export const isAct = ({ method, callers, unrecorded }: ActingRoute, kind: CallerKind): boolean =>
  method !== 'get' && unrecorded === undefined && (kind === 'operator' || kind === 'console') && callers.includes(kind)

/** Whether an operator has acted by a route and has left no entry. */
export const lacksEntry = (route: ActingRoute, caller: Caller): boolean =>
  isAct(route, caller.kind) && !withEntry.has(caller)
