/**
 * The oracles: one entry for each promise, an oracle or the reason why outside books and acknowledgements cannot show
 * whether the promise is kept. Such a promise is proven by the test that policy/promises.ts names.
 */
import type { PromiseId } from '../../../policy/promises.ts'
import { entriesOf } from '../../../shared/keys-of.ts'
import * as accounts from './accounts.ts'
import * as duties from './duties.ts'
import * as endings from './endings.ts'
import * as leastData from './least-data.ts'
import * as messages from './messages.ts'
import * as money from './money.ts'
import type { Acknowledgements, Oracle, OutsideBooks, Violation } from './record.ts'

export interface NotChecked {
  notChecked: string
}

export const oracles = {
  C1: accounts.accountsHoldWhatWasGiven,
  C2: accounts.phonesAreOptional,
  C3: accounts.purchasesAreKept,
  C4: messages.staleTokensAreDropped,
  C5: accounts.devicesAreKept,
  C6: accounts.identitiesAreKept,
  C7: accounts.nothingElseIsKept,
  U1: accounts.accountsStay,
  U2: money.ordersEndOnce,
  U3: messages.messagesComeOnce,
  U4: messages.promotionsAreWanted,
  U5: money.riskyOrdersWait,
  U6: money.booksAreComplete,
  P1: leastData.providersKnowNobody,
  P2: leastData.noCardData,
  P3: leastData.measurementIsLeast,
  P4: messages.pushesGoToDevices,
  P5: messages.mailGoesToItsPerson,
  P6: {
    notChecked: 'the addresses that the provider in front of us sees reach no other party, and no answer shows them',
  },
  P7: { notChecked: 'where the servers are is a setting, which no outside party sees' },
  P8: { notChecked: 'a party that nobody simulates keeps no books: the allow-list of hosts holds this' },
  S1: { notChecked: 'how a value is stored is seen in the database alone' },
  R1: endings.unusedAccountsEnd,
  R2: endings.booksAreAnonymous,
  R3: endings.backupsEnd,
  R4: { notChecked: 'the security log leaves the database with an export alone, which shows one person of it' },
  G1: accounts.peopleSeeTheirData,
  G2: accounts.correctionsHold,
  G3: endings.deletionsAreComplete,
  G4: messages.withdrawalsHold,
  G5: accounts.exportsAreComplete,
  G6: duties.requestsAreAnswered,
  K1: endings.childrenAreErased,
  N1: duties.policiesArePosted,
  N2: duties.noticesComeInTime,
} as const satisfies Record<PromiseId, Oracle | NotChecked>

type Oracles = typeof oracles
export type CheckedPromise = { [Id in PromiseId]: Oracles[Id] extends Oracle ? Id : never }[PromiseId]

/** All violations, in the order of the promises. */
export function violationsIn(books: OutsideBooks, said: Acknowledgements): Violation[] {
  return entriesOf(oracles).flatMap(([promise, oracle]) =>
    typeof oracle === 'function' ? oracle(books, said).map((finding) => ({ promise, ...finding })) : [],
  )
}
