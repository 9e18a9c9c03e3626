/**
 * G3, R1 to R3, deletion and retention: a person deletes her account, another account expires unused, the books stay
 * for their period, and a restored backup brings nobody back.
 */
import { randomUUID } from 'node:crypto'
import { booksPeriodEnds, dayOf, monthOf, plusDays, plusYears } from '../../shared/calendar.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { accountDeletionWorkflowId } from '../../workflows/account-deletion.contract.ts'
import { backupType, type DrillResult, restoreDrillType } from '../../workflows/backup/backup.contract.ts'
import { inactivitySweepType, inactivityWorkflowId } from '../../workflows/retention/account-inactivity.contract.ts'
import { booksCohortsType, invoiceRetentionWorkflowId } from '../../workflows/retention/invoice-retention.contract.ts'
import type { Answer, DemoClient } from './demo-client.ts'

const hour = 3_600_000
const day = 24 * hour

/** Runs a workflow as its schedule does, a number of days from now. */
async function run<Result>({ stack }: DemoClient, type: string, args: unknown[] = [], inDays = 0): Promise<Result> {
  const workflowId = `demo-${type}-${randomUUID()}`
  const handle = await stack.temporal.workflow.start(type, {
    workflowId,
    taskQueue: stack.config.TEMPORAL_TASK_QUEUE,
    args,
    ...(inDays > 0 && { startDelay: inDays * day }),
  })
  if (inDays > 0) await fastForward(stack.temporal, workflowId, (inDays + 1) * day)
  return handle.result()
}

/** Deletes an account while Apple is down, and restores a backup from before the deletion. */
export async function playDeletion(client: DemoClient): Promise<void> {
  const { app, narrator, stack, until } = client
  const { apple } = stack.sims
  narrator.chapter('A person deletes her account, while Apple is down', 'G3', 'R3')
  const signIn: Answer = await apple.do('sign-in', {})
  const email = `mia.${randomUUID().slice(0, 8)}@example.com`
  const mia = await app('POST', '/v1/accounts', {
    email,
    firstName: 'Mia',
    lastName: 'Holm',
    apple: { identityToken: signIn.idToken, authorizationCode: signIn.code },
  })
  narrator.step('Mia signs up with Apple', mia.identities.length === 1)
  const backup = await run<{ id: string; made: Answer }>(client, backupType)
  const hasBackup = backup.made.state === 'kept'
  if (!hasBackup)
    narrator.say(
      `No backup could be made here (${backup.made.code}): install PostgreSQL's client programs to see a restore.`,
    )
  else
    narrator.step(
      'A backup is made and encrypted, without its keys',
      backup.made.state === 'kept',
      `${backup.made.bytes} bytes`,
    )

  await apple.fault({ match: { path: '/auth/revoke' }, times: 1_000_000, status: 503 })
  const begun = performance.now()
  const { receiptId } = await app('DELETE', `/v1/accounts/${mia.id}`)
  narrator.step(
    'She deletes her account',
    Boolean(receiptId),
    `answered in ${Math.round(performance.now() - begun)} ms, after the erasure`,
  )
  const receipt = (): Promise<Answer> => app('GET', `/v1/deletions/${receiptId}`)
  const stateOf = (seen: Answer, name: string): string =>
    seen.processors.find(({ processor }: Answer) => processor === name)?.state
  const lastMail = await until(receipt, (seen) => stateOf(seen, 'mail') === 'done')
  narrator.step(
    'Her last mail is sent; Apple does not answer',
    stateOf(lastMail, 'mail') === 'done' && stateOf(lastMail, 'apple') === 'pending',
  )
  narrator.link('receipt', `${stack.urls.api}/v1/deletions/${receiptId}`)

  const workflowId = accountDeletionWorkflowId(stack.context.cipher.accountRef(mia.id))
  await fastForward(stack.temporal, workflowId, 12 * hour)
  narrator.step('Half a day later Apple still does not answer', stateOf(await receipt(), 'apple') === 'pending')
  await apple.clearFaults()
  await fastForward(stack.temporal, workflowId, 12 * hour)
  const revoked = await until(receipt, (seen) => stateOf(seen, 'apple') === 'done')
  narrator.step('Apple answers again: Sign in with Apple is revoked', stateOf(revoked, 'apple') === 'done')

  if (hasBackup) await playRestore(client, backup.id)
  const { pruned } = await run<{ pruned: number }>(client, backupType, [], 30)
  await fastForward(stack.temporal, workflowId, 31 * day)
  const later = await until(receipt, (seen) => stateOf(seen, 'backups') === 'done')
  narrator.step('After 30 days no backup holds her', stateOf(later, 'backups') === 'done', `deleted: ${pruned}`)
}

/** Restores a backup that holds an erased person, and replays the deletion ledger. */
async function playRestore(client: DemoClient, backupId: string): Promise<void> {
  const { narrator } = client
  narrator.progress('the backup from before the deletion is restored into a separate database')
  const drill = await run<DrillResult>(client, restoreDrillType, [{ backupId: backupId }])
  narrator.step(
    'The restored backup contains her account',
    drill.cameBack > 0,
    `erased accounts found: ${drill.cameBack}`,
  )
  narrator.step(
    'Replaying the deletion ledger erases it again',
    drill.erasedAgain === drill.cameBack && drill.left === 0 && drill.erasedTwice === 0,
    'and a second replay changes nothing',
  )
}

/** An account that is not used for three years. */
export async function playInactivity(client: DemoClient): Promise<void> {
  const { app, narrator, stack, until } = client
  const { sql, cipher } = stack.context
  narrator.chapter('An account is not used for three years', 'R1')
  const email = `omar.${randomUUID().slice(0, 8)}@example.com`
  const omar = await app('POST', '/v1/accounts', { email, firstName: 'Omar', lastName: 'Diaz' })
  const lastUsed = plusDays(plusYears(new Date(), -3), 61)
  await sql`update accounts set last_active_at = ${lastUsed} where id = ${omar.id}`
  const { opened } = await run<{ opened: number }>(client, inactivitySweepType)
  narrator.step("The nightly sweep starts one run, for Omar's account", opened === 1, `last used ${dayOf(lastUsed)}`)
  await fastForward(stack.temporal, inactivityWorkflowId(omar.id), 56 * day)
  const warned = await until(
    () => stack.sims.mailbox.do('find', { to: email }),
    (mails) => mails.length >= 3,
  )
  const days = warned.flatMap(({ subject }) => /in (\d+) days/.exec(subject)?.[1] ?? [])
  narrator.step('He is warned three times', days.join() === '60,30,7', `${days.join(', ')} days before`)
  await fastForward(stack.temporal, inactivityWorkflowId(omar.id), 8 * day)
  const gone = await until(
    () => sql`select 1 from accounts where account_ref = ${cipher.accountRef(omar.id)}`,
    (rows) => rows.length === 0,
  )
  narrator.step('He does not sign in: the account is erased', gone.length === 0)
}

/** The books of one month until their period ends. */
export async function playBooks(client: DemoClient): Promise<void> {
  const { operator, narrator, stack, until } = client
  narrator.chapter('The invoices of this month, seven years later', 'R2')
  const today = new Date()
  const month = monthOf(today)
  await run(client, booksCohortsType)
  const booksOf = async (): Promise<Answer> => {
    const { items } = await operator('GET', '/v1/books')
    return items.find((each: Answer) => each.month === month) ?? { invoices: 0, orderFacts: 0 }
  }
  const now = await booksOf()
  narrator.step(
    'They name nobody, and one run keeps them',
    now.invoices > 0,
    `documents: ${now.invoices}, orders: ${now.orderFacts}`,
  )
  const end = booksPeriodEnds(today, { years: stack.config.BOOKS_YEARS, countFrom: stack.config.BOOKS_COUNT_FROM })
  narrator.progress(`the run's clock moves to ${dayOf(end)}`)
  await fastForward(stack.temporal, invoiceRetentionWorkflowId(month), end.getTime() - Date.now() + 40 * day)
  const left = await until(booksOf, ({ invoices }) => invoices === 0)
  narrator.step(
    'At the end of the period all of them are deleted',
    left.invoices === 0 && left.orderFacts === 0,
    `on ${dayOf(end)}`,
  )
}
