/** Reads the rows of a person before they are erased: what erasure steps will need, and the trace to search for. */
import type { Transaction } from '../connection/database.ts'
import type {
  Accounts,
  DataKeys,
  Disputes,
  Esims,
  Identities,
  Invoices,
  Orders,
  ProviderOrders,
  Refunds,
} from '../connection/schema.ts'
import { currentTransaction } from '../connection/vacuum.ts'
import { type ColumnEncryption, tableEncryption } from '../crypto/column-encryption.ts'
import { type HeldPlacement, heldPlacement } from '../order/placements.ts'
import { type Claim, claimOf, readClaimTasks, readWithdrawals } from './claims.ts'
import type { DeletionSecrets, PaymentToClose, Trace } from './deletion-seals.ts'
import { type OwnedIds, readOwnedIds } from './erased-rows.ts'

export interface Person {
  accountId: string
  owned: OwnedIds
  /** disputes that the bank has not decided: an operator must answer them after the erasure, too */
  openDisputes: Disputes[]
  /** linked with Apple without a refresh token: only the person can end the link */
  appleByHand: boolean
  secrets: DeletionSecrets
}

type AccountRow = Accounts & Pick<DataKeys, 'kek_id' | 'wrapped_key'>
type PersonOrder = Orders & { invoice_number: Invoices['number'] | null }
type RefundRow = Pick<
  Refunds,
  'order_id' | 'refund_key' | 'stripe_refund_id' | 'amount_minor' | 'state' | 'reason' | 'created_at'
>

type PlacementRow = ProviderOrders & { daily: boolean }

type EsimRow = Pick<Esims, 'order_id' | 'provider' | 'esim_ref' | 'esim_ref_index' | 'return_asked_at'>

/** Reads a person and locks their account, so that nothing can be added to it. Undefined when the account is missing. */
export async function lockPerson(
  tx: Transaction,
  encryption: ColumnEncryption,
  accountRef: string,
): Promise<Person | undefined> {
  const [account] = await tx<AccountRow[]>`
    select accounts.*, kek_id, wrapped_key
    from accounts join data_keys on account_id = id where account_ref = ${accountRef} for update`
  if (!account) return undefined
  const { id } = account
  const key = encryption.cipher.unwrap(id, { kekId: account.kek_id, wrapped: account.wrapped_key })
  const fields = tableEncryption(encryption.cipher, key, 'accounts')

  const orders = await tx<PersonOrder[]>`
    select o.*, (select number from invoice_links l where l.order_id = o.id and l.document_key = 'invoice') as invoice_number
    from orders o where account_id = ${id} order by o.id for update of o`
  const { placements, esims, refunds, disputes, identities, owned, ...claimRows } = await readRows(tx, id)
  const claimed = orders.map((order) => ({ order, claim: claimOf(order, { refunds, esims, ...claimRows }) }))
  const signIns = signInsOf(identities, (sealed) =>
    tableEncryption(encryption.cipher, key, 'identities').open('refresh_token', sealed),
  )
  const firebaseUid = fields.openOptional('firebase_uid', account.firebase_uid)
  const openRef = (esim: EsimRow) => tableEncryption(encryption.cipher, key, 'esims').open('esim_ref', esim.esim_ref)
  const customer = account.stripe_customer_id
  const paymentIntentIds = orders.flatMap((order) => order.payment_intent_id ?? [])
  const trace: Trace = {
    ids: [
      id,
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
    transaction: await currentTransaction(tx),
  }
  return {
    accountId: id,
    owned,
    openDisputes: disputes.filter((dispute) => dispute.closed_at === null),
    appleByHand: signIns.appleByHand,
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
        customer || paymentIntentIds.length > 0
          ? { paymentIntentIds, customerIds: customer ? [customer] : [], job: null, setAside: [], refusals: 0 }
          : null,
      address:
        account.mail_state === 'ok' ? { email: fields.open('email', account.email), language: account.language } : null,
      trace,
    },
  }
}

/** Reads with the orders locked, so that nothing can be added to them. One round trip, since a caller waits. */
async function readRows(tx: Transaction, accountId: string) {
  const [placements, esims, refunds, disputes, identities, owned, withdrawals, tasks] = await Promise.all([
    tx<PlacementRow[]>`
      select po.*, coalesce(p.daily, false) as daily
      from provider_orders po join orders o on o.id = po.order_id left join packages p on p.code = o.package_code
      where o.account_id = ${accountId}`,
    tx<EsimRow[]>`
      select e.order_id, e.provider, e.esim_ref, e.esim_ref_index, e.return_asked_at
      from esims e join orders o on o.id = e.order_id where o.account_id = ${accountId}`,
    tx<RefundRow[]>`
      select r.order_id, r.refund_key, r.stripe_refund_id, r.amount_minor, r.state, r.reason, r.created_at
      from refunds r join orders o on o.id = r.order_id where o.account_id = ${accountId} order by r.created_at`,
    tx<Disputes[]>`
      select d.* from disputes d join orders o on o.id = d.order_id where o.account_id = ${accountId}`,
    tx<IdentityRow[]>`
      select provider, subject_index, client_id, refresh_token from identities where account_id = ${accountId}`,
    readOwnedIds(tx, accountId),
    readWithdrawals(tx, accountId),
    readClaimTasks(tx, accountId),
  ])
  return { placements, esims, refunds, disputes, identities, owned, withdrawals, tasks }
}

type IdentityRow = Pick<Identities, 'provider' | 'subject_index' | 'client_id' | 'refresh_token'>

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
  // On Stripe's page somebody may still pay: the page is what is ended then.
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
      refundedAt: refundedAt?.toISOString() ?? null,
    },
  ]
}

const lastOf = (refunds: RefundRow[], orderId: string): Date | undefined =>
  refunds.findLast((refund) => refund.order_id === orderId)?.created_at

/** U2: an eSIM would take the data along that its customer has paid for and keeps. */
const isOn = (topUp: PersonOrder, order: PersonOrder): boolean =>
  topUp.parent_order_id === order.id && (topUp.status === 'delivered' || topUp.status === 'ended')

/** What providers hold for an order that its customer never got. A top-up cannot be returned: it is data on an eSIM. */
function unreturned(
  order: PersonOrder,
  claim: Claim | undefined,
  placements: PlacementRow[],
  esims: EsimRow[],
  openRef: (esim: EsimRow) => string,
): HeldPlacement[] {
  if (claim?.action !== 'refund' || order.parent_order_id) return []
  return placements
    .filter((each) => each.order_id === order.id && each.state !== 'refused' && each.state !== 'released')
    .map((each) => {
      const refs = esims.filter((esim) => esim.order_id === order.id && esim.provider === each.provider).map(openRef)
      return heldPlacement(order, each, orNull(refs))
    })
}

const orNull = <Item>(items: Item[]): Item[] | null => (items.length > 0 ? items : null)
