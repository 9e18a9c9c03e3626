/** The events of a world. People, orders and requests have names, so that a plan means the same in each run. */

import type { Rule } from '../../../sim/mailbox/smtp.ts'
import type { Fault } from '../../../sim/simulator.ts'
import { esimSimulatorNames } from '../../harness/test-packages.ts'

export type Act =
  | { kind: 'sign_up'; who: string; phone: boolean; apple: boolean; google: boolean; promotions: boolean }
  /** links the Apple or Google user if the account has none of that party */
  | { kind: 'sign_in'; who: string; by: SignInParty }
  | {
      kind: 'order'
      who: string
      order: string
      package: 'anyProvider' | 'onlyEsimAccess' | 'onlyAiralo'
      quantity: number
      payment: 'paid' | 'declined_first' | 'abandoned' | 'cancelled' | 'paid_and_cancelled'
      risk: 'normal' | 'elevated'
      verdict: 'approve' | 'reject'
      /** of the card, by which the place of supply is told */
      country: string
      adConsent: boolean
      savedCards: boolean
      /** whether the next act waits for its end */
      waits: boolean
    }
  /** `refund`: the eSIM of the first order is returned at the same time, or afterwards */
  | { kind: 'top_up'; order: string; of: string; refund: 'no' | 'meanwhile' }
  | { kind: 'refund'; order: string }
  /** the bank returns the refund, and an operator repeats it */
  | { kind: 'refund_bounces'; order: string }
  /** the customer withdraws from the contract */
  | { kind: 'withdraw'; order: string }
  /** the card's issuer warns of fraud */
  | { kind: 'warn'; order: string }
  | { kind: 'refund_part'; order: string; minor: number }
  | { kind: 'use'; order: string }
  | { kind: 'expire'; order: string }
  | { kind: 'dispute'; order: string; outcome: 'won' | 'lost' }
  | { kind: 'correct'; who: string }
  | { kind: 'consent'; who: string; granted: boolean }
  | { kind: 'stale_token'; who: string }
  | { kind: 'export'; who: string }
  | { kind: 'privacy_request'; who: string; answered: boolean }
  | { kind: 'delete'; who: string }
  | { kind: 'child_report'; who: string }
  | { kind: 'come_back'; who: string; as: string }
  | { kind: 'unused_for_years'; who: string }
  | { kind: 'foreign_field'; who: string; field: string }
  | { kind: 'campaign'; subject: string }
  /** one click in the last promotion stops all others */
  | { kind: 'unsubscribe'; who: string }
  | { kind: 'rotate_keys' }
  /** an operator apologises for all orders that are delivered */
  | { kind: 'apologise' }
  | { kind: 'policy'; version: string }
  | { kind: 'backup' }

export const signInParties = ['apple', 'google'] as const
export type SignInParty = (typeof signInParties)[number]
export const faultyParties = ['stripe', ...esimSimulatorNames, 'firebase', 'apple', 'meta', 'googleAnalytics'] as const
export type FaultyParty = (typeof faultyParties)[number]
export const noisyParties = ['stripe', ...esimSimulatorNames] as const
export const links = ['temporal', 'database', 'stripe', ...esimSimulatorNames, 'mail'] as const
export type LinkName = (typeof links)[number]
/** the API's own connections; those above are the worker's */
export const apiLinks = ['apiTemporal', 'apiDatabase', 'apiApple', 'apiGoogle'] as const
export type ApiLinkName = (typeof apiLinks)[number]

export const endpointNames = ['all', 'some'] as const
/** `some` has asked for a few types of events */
export type EndpointName = (typeof endpointNames)[number]
export const endpointTroubles = ['down', 'failing', 'slow', 'silent', 'busy', 'gone', 'disabled', 'new_secret'] as const
export type EndpointTrouble = (typeof endpointTroubles)[number]

export type Disturbance =
  /** faults that meet one call after each other */
  | { kind: 'faults'; party: FaultyParty; faults: Fault[] }
  | { kind: 'mail_faults'; rules: Rule[] }
  /** the party signs with a new key, and the faults meet who asks for its keys */
  | { kind: 'new_sign_in_key'; party: SignInParty; faults: Fault[] }
  | { kind: 'webhooks'; party: (typeof noisyParties)[number]; drop: number; copies: number }
  | { kind: 'kill'; part: 'worker' | 'api' | 'database' | 'temporal'; ms: number }
  | { kind: 'freeze'; part: 'worker' | 'api'; ms: number }
  /** a worker takes over from the one before, which ends what it has begun */
  | { kind: 'deploy'; part: 'worker' }
  /** workers of another build take over, and open runs go on there */
  | { kind: 'release'; part: 'worker' }
  | { kind: 'cut' | 'slow'; link: LinkName | ApiLinkName; ms: number }
  /** the app backend's receiver of events: `down` for an hour of its retries, `disabled` and then replayed */
  | { kind: 'endpoint'; endpoint: EndpointName; trouble: EndpointTrouble; ms: number }
  /** API and workers begin to encrypt with another key: the act `rotate_keys` makes it the only one needed */
  | { kind: 'next_key' }
  /** the database is lost so long after a backup, and restored from it */
  | { kind: 'restore'; ms: number }

/** `round`: all rounds come one after the other; `lane`: events of a lane come one after the other within a round. */
export type PlannedEvent =
  | { round: number; lane: string; act: Act }
  /** `after`: how many acts of the round have begun before */
  | { round: number; after: number; disturbance: Disturbance }

export const isAct = (event: PlannedEvent): event is Extract<PlannedEvent, { act: Act }> => 'act' in event
