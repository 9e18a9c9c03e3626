/**
 * The records that the oracles read: the books of outside parties, and the acknowledgements of the API to its callers.
 * Nothing in them comes from our database or from a workflow. Times are Unix milliseconds of the party that names them.
 */
import type { PromiseId } from '../../../policy/promises.ts'

export interface OutsideBooks {
  payments: Payment[]
  refunds: { payment: string; minor: number; failed: boolean }[]
  /** Stripe's customers that are not deleted */
  customers: string[]
  esims: BoughtEsim[]
  /** top-ups that eSIM providers have applied, each to an eSIM */
  topUps: { provider: string; reference: string; iccid: string }[]
  mails: Mail[]
  /** mails that a mail server has taken while its reply was lost: they may come again */
  lostMailReplies: { at: number; to: string }[]
  pushes: Push[]
  /** each request to FCM for a token, refused ones included; `lost`: FCM's reply did not arrive */
  pushAttempts: { token: string; at: number; lost: boolean }[]
  /** tokens that FCM has called unregistered */
  unregistered: { token: string; at: number }[]
  grants: { party: 'apple'; subject: string; revoked: boolean }[]
  firebaseUsers: string[]
  /** `instance`: which app Google is told of, as the app has named itself */
  conversions: { party: 'meta' | 'google-analytics'; text: string; id: string; instance: string | null }[]
  /** events that endpoints of the app backend have taken */
  deliveries: Delivered[]
  /** every request to a party, as text */
  received: { party: string; text: string }[]
}

export interface Payment {
  id: string
  orderId: string
  succeeded: boolean
  receivedMinor: number
  charges: number
  customer: string | null
}

export interface BoughtEsim {
  provider: string
  /** the provider's own; eSIM Access gives the ICCID of a returned eSIM to another one */
  id: string
  iccid: string
  /** false once it went back */
  held: boolean
  /** it was ordered there between these two: Airalo tells the second alone */
  boughtFrom: number
  boughtBy: number
}

export interface Mail {
  at: number
  to: string[]
  subject: string
  messageId: string
  text: string
  hasQrCode: boolean
  oneClick: boolean
}

export interface Push {
  at: number
  token: string
  /** title, body and data */
  content: string
}

export interface Acknowledgements {
  people: Person[]
  orders: Order[]
  campaigns: { subject: string; launchedAt: number }[]
  policies: Policy[]
  privacyRequests: PrivacyRequest[]
  /** requests with a field that we promise not to keep */
  foreignFields: { field: string; value: string; status: number }[]
  /** the last answer to each sign-up and sign-in of somebody whom Apple and Google have proven */
  signIns: { name: string; what: 'sign-up' | 'sign-in'; status: number }[]
  events: Event[]
  /** when the list of them was read for the last time */
  eventsReadAt: number
  /** of the app backend, as they were registered */
  endpoints: Endpoint[]
  /** all documents in the operators' journal */
  journal: { text: string; entries: JournalEntry[] }
  /** turnover of a quarter by member state, as the One Stop Shop's file has it */
  oss: { from: string; until: string; states: { country: string; grossMinor: number }[] }
  /** how many numbers of documents the reports of restores name as lost */
  lostNumbers: number
  /** the same journal, read after its period; missing: the world did not last so long */
  journalAfterPeriod?: Acknowledgements['journal']
  /** as operators see them after the world's last day, and as their files are in the store */
  /** `name`: the id in the list, or the file */
  backups: { name: string; kept: boolean; ageMs: number }[]
  /** times in which a part was killed, frozen or cut off */
  crashes: { from: number; until: number }[]
  /** orders of top-ups that operators are told of: applied, although the order was given up and its money went back */
  appliedAnyway: string[]
  /** losses of the database; `from`: when the backup was begun that is restored */
  losses: { from: number; until: number }[]
}

/** An event as the API lists it. */
export interface Event {
  id: string
  type: string
  at: number
  accountId: string | null
  orderId: string | null
  receiptId: string | null
  /** it went with a database that was lost: what no endpoint had then, none gets */
  isLost: boolean
}

export interface Endpoint {
  name: string
  /** null: all */
  types: readonly string[] | null
  /** when its registration was acknowledged */
  from: number
}

/** An event as an endpoint has got it. */
export interface Delivered extends Omit<Event, 'receiptId' | 'isLost'> {
  endpoint: string
  /** by a secret of the endpoint */
  isSigned: boolean
}

export interface JournalEntry {
  number: string
  grossMinor: number
  /** the member state whose tax it is, if another one than ours */
  memberState: string | null
  issuedOn: string
}

export interface Person {
  name: string
  accountId: string
  email: string
  firstName: string
  lastName: string
  phone: string | null
  /** corrected by the person, as acknowledged */
  corrected: boolean
  /** of Sign in with Apple */
  appleSubject: string | null
  /** how many of Apple's codes were spent by requests that came to nothing: nobody has their tokens */
  spentCodes: number
  /** of Google's sign-in */
  googleSubject: string | null
  firebaseUid: string
  pushToken: string
  /** FCM calls it unregistered from some time on */
  tokenIsStale: boolean
  /** by which Google's measurement knows the app */
  appInstanceId: string
  deviceId: string
  signedUpAt: number
  consents: { at: number; granted: boolean }[]
  deletion: Deletion | null
  /** the run's clock was moved past three years without a sign of the person */
  inactive: boolean
  /** another account has the same identity since then */
  returnedAt: number | null
  /** the account as it was read last */
  seen: {
    status: number
    email?: string
    firstName?: string
    lastName?: string
    phone?: string | null
    promotions?: boolean
    /** of the linked Apple and Google users */
    subjects?: string[]
  }
  /** the last export; null: none was asked for */
  exported: AccountExport | null
}

export interface Deletion {
  at: number
  receiptId: string
  /** what was asked for, and what was acknowledged */
  asked: 'requested' | 'child'
  reason: string
  /** who has not deleted yet when the deletion is overdue */
  pending: string[]
  /** who has not deleted by itself, and is left to operators */
  left: string[]
  /** the account was shown once a restored database was open */
  wasRestored: boolean
}

export interface AccountExport {
  /** faults against the published schema */
  faults: string[]
  account: Record<string, unknown>
  subjects: string[]
  /** the Apple and Google users that were linked when it was asked for */
  linked: string[]
  devices: { deviceId: string; pushToken: string | null }[]
  orders: { id: string; packageCode: string; destination: string; createdAt: string; amountMinor: number }[]
}

export interface Order {
  name: string
  orderId: string
  accountId: string
  isTopUp: boolean
  /** of a top-up: the order whose eSIM it is for */
  topUpOf: string | null
  packageCode: string
  quantity: number
  grossMinor: number
  adConsent: boolean
  risk: 'normal' | 'elevated'
  verdict: 'approve' | 'reject' | null
  /** when the verdict was asked for */
  decidedAt: number | null
  /** the customer's withdrawal from the contract was acknowledged */
  isWithdrawn: boolean
  /** how often the bank has returned its refund */
  bounces: number
  /** an operator's apology for it was acknowledged */
  isApologisedFor: boolean
  /** refunds of a part, as acknowledged to operators */
  partialRefunds: number[]
  begunAt: number
  /** when a reading has found another state than the one before */
  changedAt: number
  /** the order as it was read last */
  status: string
  paidAt: number | null
  deliveredAt: number | null
  iccids: string[]
  /** of its eSIMs, the secret by which a phone installs one */
  matchingIds: string[]
  /** by ICCID: when a reading has shown it for the first time */
  seenAt: Record<string, number>
  /** the status of the last answer about it; an order goes with its account */
  answers: number
  documents: string[]
}

export interface Policy {
  version: string
  postedAt: number
  /** as shown now; it may have moved */
  effectiveAt: number
  inForce: boolean
  /** the time that the clock of its run has reached */
  reached: number
  onPage: boolean
}

export interface PrivacyRequest {
  replyTo: string
  reference: string
  isAnswered: boolean
  /** its run's clock has reached day 27 without an answer */
  isDue: boolean
}

export interface Violation {
  promise: PromiseId
  subject: string
  what: string
}

/** A finding of an oracle, without its promise. */
export type Finding = Omit<Violation, 'promise'>

/** Finds what breaks one promise. It reads nothing else, and changes nothing. */
export type Oracle = (books: OutsideBooks, said: Acknowledgements) => Finding[]

export const living = ({ people }: Acknowledgements): Person[] =>
  people.filter(({ deletion, inactive }) => deletion === null && !inactive)

/** The Apple and Google users by whom a person signs in. */
export const subjectsOf = ({ appleSubject, googleSubject }: Person): string[] =>
  [appleSubject, googleSubject].filter((subject) => subject !== null)

export const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0)
