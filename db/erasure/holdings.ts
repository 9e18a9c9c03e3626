/** A person's holdings, read from their rows: the needs of the erasure steps, and the trace to search for. */
import { isoOrNull } from '../../shared/calendar.ts'
import type {
  Accounts,
  Disputes,
  Esims,
  Identities,
  Invoices,
  Orders,
  ProviderOrders,
  Refunds,
} from '../connection/schema.ts'
import { tableEncryption } from '../crypto/column-encryption.ts'
import type { DataKey, FieldCipher } from '../crypto/field-cipher.ts'
import { type HeldPlacement, heldPlacement } from '../order/placements.ts'
import { type Claim, type ClaimRows, claimOf } from './claims.ts'
import type { DeletionSecrets, PaymentToClose, Trace } from './deletion-seals.ts'
import type { OwnedIds } from './erased-rows.ts'

export interface Person {
  accountId: string
  owned: OwnedIds
  /** disputes that the bank has not decided: an operator must answer them after the erasure, too */
  openDisputes: Disputes[]
  /** linked with Apple without a refresh token: only the person can end the link */
  appleByHand: boolean
  /** references that outside parties go on listing */
  listed: string[]
  secrets: DeletionSecrets
}

export interface PersonRows extends Pick<ClaimRows, 'withdrawals' | 'tasks'> {
  account: Pick<Accounts, 'id' | 'stripe_customer_id' | 'firebase_uid' | 'mail_state' | 'email' | 'language'>
  owned: OwnedIds
  orders: PersonOrder[]
  placements: PlacementRow[]
  esims: EsimRow[]
  /** the oldest first */
  refunds: RefundRow[]
  disputes: Disputes[]
  identities: IdentityRow[]
  listed: string[]
}

export type PersonOrder = Pick<
  Orders,
  | 'id'
  | 'parent_order_id'
  | 'status'
  | 'ended_at'
  | 'payment_intent_id'
  | 'checkout_session_id'
  | 'measurement_event_id'
  | 'install_token_index'
  | 'fact_id'
  | 'package_name'
  | 'destination'
  | 'quantity'
  | 'days'
  | 'gross_minor'
  | 'currency'
> & { invoice_number: Invoices['number'] | null }
export type RefundRow = Pick<
  Refunds,
  'order_id' | 'refund_key' | 'stripe_refund_id' | 'amount_minor' | 'state' | 'reason' | 'created_at'
>
export type PlacementRow = Pick<
  ProviderOrders,
  | 'id'
  | 'order_id'
  | 'provider'
  | 'client_ref'
  | 'provider_package_code'
  | 'provider_order_no'
  | 'state'
  | 'placed_after'
  | 'returns_asked'
> & { daily: boolean }
export type EsimRow = Pick<Esims, 'order_id' | 'provider' | 'esim_ref' | 'esim_ref_index' | 'return_asked_at' | 'state'>
export type IdentityRow = Pick<Identities, 'provider' | 'subject_index' | 'client_id' | 'refresh_token'>

/** @param transaction the id of the one that erases */
export function personOf(rows: PersonRows, cipher: FieldCipher, key: DataKey, transaction: string): Person {
  const { account, owned, orders, placements, esims, refunds, disputes, identities, listed } = rows
  const fields = tableEncryption(cipher, key, 'accounts')
  const claimed = orders.map((order) => ({ order, claim: claimOf(order, rows) }))
  const signIns = signInsOf(identities, (sealed) =>
    tableEncryption(cipher, key, 'identities').open('refresh_token', sealed),
  )
  const firebaseUid = fields.openOptional('firebase_uid', account.firebase_uid)
  const openRef = (esim: EsimRow) => tableEncryption(cipher, key, 'esims').open('esim_ref', esim.esim_ref)
  const customer = account.stripe_customer_id
  const paymentIntentIds = orders.flatMap((order) => order.payment_intent_id ?? [])
  // A page behind its payment: on it the person may have typed an e-mail address and a name.
  const toRedact = orders.flatMap((order) => [order.payment_intent_id ?? [], order.checkout_session_id ?? []].flat())
  const trace: Trace = {
    ids: [
      account.id,
      ...Object.values(owned).flat(),
      ...placements.flatMap((each) => [each.id, each.client_ref]),
      ...paymentIntentIds,
      ...orders.flatMap((order) => order.checkout_session_id ?? []),
      ...(customer ? [customer] : []),
      ...orders.flatMap((order) => order.measurement_event_id ?? []),
      ...refunds.flatMap((refund) => refund.stripe_refund_id ?? []),
      ...disputes.flatMap((dispute) => (dispute.closed_at ? [dispute.stripe_dispute_id] : [])),
    ],
    // Blind indexes of e-mail address and sign-ins are no trace: the person may sign up again with the same ones.
    blinds: [...orders.map((order) => order.install_token_index), ...esims.map((esim) => esim.esim_ref_index)].flatMap(
      (blind) => blind?.toString('hex') ?? [],
    ),
    orderIds: owned.orders,
    requestIds: owned.privacyRequests,
    emailChangeIds: owned.emailChanges,
    transaction,
  }
  return {
    accountId: account.id,
    owned,
    openDisputes: disputes.filter((dispute) => dispute.closed_at === null),
    appleByHand: signIns.appleByHand,
    listed,
    secrets: {
      apple: signIns.apple,
      google: signIns.google,
      firebase: firebaseUid === null ? null : { uid: firebaseUid },
      stripeCustomer: customer ? { customerId: customer } : null,
      settlements: orNull(claimed.flatMap(({ order, claim }) => settlementOf(order, claim, lastOf(refunds, order.id)))),
      providerOrders: orNull(
        claimed
          .filter(({ order }) => !orders.some((topUp) => isOn(topUp, order)))
          .flatMap(({ order, claim }) => unreturned(order, claim, placements, esims, openRef)),
      ),
      payments:
        customer || toRedact.length > 0
          ? {
              paymentIntentIds: toRedact,
              customerIds: customer ? [customer] : [],
              job: null,
              setAside: [],
              refusals: 0,
            }
          : null,
      address:
        account.mail_state === 'ok' ? { email: fields.open('email', account.email), language: account.language } : null,
      trace,
    },
  }
}

function signInsOf(identities: IdentityRow[], open: (sealed: Buffer) => string) {
  const apple = identities.find((identity) => identity.provider === 'apple')
  const google = identities.find((identity) => identity.provider === 'google')
  return {
    apple: apple?.refresh_token
      ? {
          refreshToken: open(apple.refresh_token),
          clientId: apple.client_id,
          subjectIndex: apple.subject_index.toString('hex'),
        }
      : null,
    appleByHand: apple !== undefined && !apple.refresh_token,
    google: google?.refresh_token ? { refreshToken: open(google.refresh_token) } : null,
  }
}

function settlementOf(order: PersonOrder, claim: Claim | undefined, refundedAt: Date | undefined): PaymentToClose[] {
  // The customer may still pay on Stripe's page, so the page is ended.
  const paymentIntentId = order.payment_intent_id ?? order.checkout_session_id
  if (!paymentIntentId || !claim) return []
  return [
    {
      ...claim,
      paymentIntentId,
      factId: order.fact_id,
      invoiceNumber: order.invoice_number,
      packageName: order.package_name,
      destination: order.destination,
      quantity: order.quantity,
      grossMinor: order.gross_minor,
      currency: order.currency,
      refundedAt: isoOrNull(refundedAt),
    },
  ]
}

const lastOf = (refunds: RefundRow[], orderId: string): Date | undefined =>
  refunds.findLast((refund) => refund.order_id === orderId)?.created_at

/**
 * U2, paid means delivered or refunded: whether a top-up is on an eSIM of this order, whose return would take the data
 * along that the customer has paid for and keeps.
 */
const isOn = (topUp: PersonOrder, order: PersonOrder): boolean =>
  topUp.parent_order_id === order.id && (topUp.status === 'delivered' || topUp.status === 'ended')

/**
 * eSIMs at providers of an order that its customer never got, or that are being returned beside its refund. A top-up
 * cannot be returned: it is data on an eSIM.
 */
function unreturned(
  order: PersonOrder,
  claim: Claim | undefined,
  placements: PlacementRow[],
  esims: EsimRow[],
  openRef: (esim: EsimRow) => string,
): HeldPlacement[] {
  if (order.parent_order_id) return []
  const isHeld = ({ state }: PlacementRow): boolean =>
    state === 'releasing' || (claim?.action === 'refund' && state !== 'refused' && state !== 'released')
  return placements
    .filter((each) => each.order_id === order.id && isHeld(each))
    .map((each) => {
      const its = esims.filter((esim) => esim.order_id === order.id && esim.provider === each.provider)
      const left = its.filter(({ state }) => state !== 'cancelled').map(openRef)
      return heldPlacement(order, each, its.length > 0 ? left : null)
    })
}

const orNull = <Item>(items: Item[]): Item[] | null => (items.length > 0 ? items : null)
