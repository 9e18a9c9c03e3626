/** Customers whom no mail reaches. */
import { markMailBounced } from '../accounts.ts'
import type { Queryable } from '../connection/database.ts'
import { raiseOperatorTask } from '../operator-tasks.ts'

/** Kind of the operator task: mails about an order come back, or no push could notify the customer of it. */
export const mailBounced = 'mail_bounced'

/** Kind of the operator task: one side of a change of address takes no mail, so it cannot agree. */
export const sideUnreachable = 'email_change_unreachable'

/** A mail that a dead address has refused or sent back. */
export interface UnreachedMail {
  accountId: string
  /** of the address that it went to; null: the one that the account has */
  addressIndex: Buffer | null
  /** what the mail was about */
  subjectId: string
  /** why it came back */
  code: string
  at: Date
}

/**
 * Marks the address of an account as dead. An operator has to pass on a mail about an order when no push can: a person
 * without the app would not learn of an eSIM that is paid; and one about a privacy request, whose answer would count as
 * given. Warnings and notices that go to many raise no task. A mail that went to an address which the account has not,
 * or has left, says nothing of its address: an operator may send it again.
 */
export async function noteDeadAddress(sql: Queryable, mail: UnreachedMail): Promise<void> {
  const { accountId, addressIndex, subjectId, code, at } = mail
  if ((await markMailBounced(sql, accountId, addressIndex)) === 'another')
    return raiseOperatorTask(sql, { kind: mailBounced, subjectId, detail: code, at })
  const [row] = await sql`
    select 1 from privacy_requests p where p.account_id = ${accountId} and p.id = uuid_or_null(${subjectId})
    union all
    select 1 from orders o
    where o.account_id = ${accountId}
      and (o.id = uuid_or_null(${subjectId})
        or exists (select from esims e where e.order_id = o.id and e.id = uuid_or_null(${subjectId})))
      and not exists (select from devices d where d.account_id = o.account_id and d.push_token is not null)`
  if (row) await raiseOperatorTask(sql, { kind: mailBounced, subjectId, detail: code, at })
}

/**
 * The mails of a change of address, by the side that each asks; the last one tells the old address, and asks nothing.
 */
const sides: Readonly<Record<string, 'old' | 'new' | null>> = {
  'mail:email_change_old': 'old',
  'mail:email_change_new': 'new',
  'mail:email_changed': null,
}

/** Whether a kind of mail asks one of the two addresses of a change of address. */
export const isOfEmailChange = (kind: string): boolean => Object.hasOwn(sides, kind)

/**
 * Notes that a mail about a change of address has come back from a dead address: an operator can help while the change
 * is open. The account's address is marked only where it is the one.
 */
export async function noteDeadSide(sql: Queryable, kind: string, mail: UnreachedMail): Promise<void> {
  const { accountId, addressIndex, subjectId, at } = mail
  // A mail from before addresses were noted does not tell which one is dead.
  if (addressIndex) await markMailBounced(sql, accountId, addressIndex)
  const [open] = await sql`select 1 from email_changes where id = uuid_or_null(${subjectId}) and state = 'open'`
  const side = sides[kind]
  if (open && side) await raiseOperatorTask(sql, { kind: sideUnreachable, subjectId, detail: side, at })
}
