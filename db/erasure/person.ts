/** Reads the rows of a person before they are erased. */
import type { Queryable, Transaction } from '../connection/database.ts'
import type { Accounts, DataKeys, Disputes } from '../connection/schema.ts'
import { currentTransaction } from '../connection/vacuum.ts'
import type { ColumnEncryption } from '../crypto/column-encryption.ts'
import { returnedNotRefunded } from '../order/esims/returned-esims.ts'
import { refundFailed } from '../order/refunds.ts'
import { type ClaimRows, moneyTasks } from './claims.ts'
import { listedElsewhere } from './erased-references.ts'
import { readOwnedIds } from './erased-rows.ts'
import {
  type EsimRow,
  type IdentityRow,
  type Person,
  type PersonOrder,
  type PlacementRow,
  personOf,
  type RefundRow,
} from './holdings.ts'

type AccountRow = Accounts & Pick<DataKeys, 'kek_id' | 'wrapped_key'>

/**
 * Reads a person and locks their account, so that nothing can be added to it. Undefined when the account is missing.
 */
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

  const { transaction, ...rows } = await readRows(tx, id)
  return personOf({ account, ...rows }, encryption.cipher, key, transaction)
}

/**
 * Reads with the orders locked, so that nothing can be added to them: they come first, and each statement sees what was
 * committed before it. One round trip, since a caller waits.
 */
async function readRows(tx: Transaction, accountId: string) {
  const [orders, placements, esims, refunds, disputes, identities, owned, withdrawals, tasks, listed, transaction] =
    await Promise.all([
      tx<PersonOrder[]>`
      select o.*, (select number from invoice_links l where l.order_id = o.id and l.document_key = 'invoice') as invoice_number
      from orders o where account_id = ${accountId} order by o.id for update of o`,
      tx<PlacementRow[]>`
      select po.*, coalesce(p.daily, false) as daily
      from provider_orders po join orders o on o.id = po.order_id left join packages p on p.code = o.package_code
      where o.account_id = ${accountId}`,
      tx<EsimRow[]>`
      select e.order_id, e.provider, e.esim_ref, e.esim_ref_index, e.return_asked_at, e.state
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
      listedElsewhere(tx, accountId),
      currentTransaction(tx),
    ])
  return { orders, placements, esims, refunds, disputes, identities, owned, withdrawals, tasks, listed, transaction }
}

async function readClaimTasks(sql: Queryable, accountId: string): Promise<ClaimRows['tasks']> {
  return sql<ClaimRows['tasks']>`
    select subject_id, kind, detail, attributes, resolved_at from attention
    where ((kind = any(${moneyTasks}) and (resolved_at is null or kind = ${returnedNotRefunded}))
        or (kind = ${refundFailed} and resolved_by like 'operator:%'))
      and subject_id in (select id::text from orders where account_id = ${accountId})`
}

const readWithdrawals = async (sql: Queryable, accountId: string): Promise<ClaimRows['withdrawals']> =>
  sql<ClaimRows['withdrawals']>`
    select w.order_id, w.stated_at from withdrawals w join orders o on o.id = w.order_id where o.account_id = ${accountId}`
