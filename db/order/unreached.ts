/** Customers whom no mail reaches. */
import { markMailBounced } from '../accounts.ts'
import type { Queryable } from '../connection/database.ts'
import { raiseOperatorTask } from '../operator-tasks.ts'

/** Kind of the operator task: mails about an order come back, or no push could tell the customer of it. */
export const mailBounced = 'mail_bounced'

/** A mail that a dead address has refused or sent back. */
export interface UnreachedMail {
  accountId: string
  /** what the mail was about */
  subjectId: string
  /** why it came back */
  code: string
  at: Date
}

/**
 * Marks the address of an account as dead. An operator has to pass on a mail about an order when no push can: a person
 * without the app would not hear of an eSIM that is paid. Warnings and notices that go to many raise no task.
 */
export async function noteDeadAddress(sql: Queryable, { accountId, subjectId, code, at }: UnreachedMail) {
  await markMailBounced(sql, accountId)
  const [row] = await sql`
    select 1 from orders o
    where o.account_id = ${accountId}
      and (o.id = uuid_or_null(${subjectId})
        or exists (select from esims e where e.order_id = o.id and e.id = uuid_or_null(${subjectId})))
      and not exists (select from devices d where d.account_id = o.account_id and d.push_token is not null)`
  if (row) await raiseOperatorTask(sql, { kind: mailBounced, subjectId, detail: code, at })
}
