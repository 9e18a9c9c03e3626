import { Problem } from './problem.ts'

/** Who is asking. A newcomer is a verified Firebase user without an account. */
export type Caller =
  | { kind: 'public' }
  | { kind: 'service'; keyId: string }
  | { kind: 'operator'; keyId: string; label: string }
  | { kind: 'person'; accountId: string; firebaseUid: string; signedInAt: Date }
  | { kind: 'newcomer'; firebaseUid: string; signedInAt: Date }
  | Visitor
  | ConsoleUser

/** A person on the web pages, by a session cookie: JSON routes never take one. */
export interface Visitor {
  kind: 'visitor'
  accountId: string
  signedInAt: Date
  /** belongs into every form */
  csrf: string
}

/** An operator on the console, by a session cookie. */
export interface ConsoleUser {
  kind: 'console'
  keyId: string
  label: string
  csrf: string
}

export type CallerKind = Caller['kind']

/** Whom a route meets: anybody, where the public may call. */
export type CallerOf<Kind extends CallerKind> = 'public' extends Kind ? Caller : Extract<Caller, { kind: Kind }>

/** How the security log and other records name the caller: no name, no account. */
export function actorOf(caller: Caller): string {
  if (caller.kind === 'console') return `operator:${caller.keyId}`
  if (caller.kind === 'visitor') return 'person'
  return caller.kind === 'service' || caller.kind === 'operator' ? `${caller.kind}:${caller.keyId}` : caller.kind
}

/**
 * In whose name an Idempotency-Key is unique, and whose requests are counted together. Keys of one kind are one caller,
 * since a new key does not make a new backend; a newcomer is the person they become.
 */
export function scopeOf(caller: Caller): string {
  if (caller.kind === 'visitor') return `visitor:${caller.accountId}`
  return 'firebaseUid' in caller ? `person:${caller.firebaseUid}` : caller.kind
}

/**
 * A person reaches their own account's things only, and does not learn whether others exist.
 * @throws Problem not_found
 */
export function assertReaches(caller: Caller, accountId: string): void {
  if (caller.kind === 'service' || caller.kind === 'operator') return
  if (caller.kind !== 'person' || caller.accountId !== accountId) throw new Problem('not_found')
}
