/** N2 at scale: how fast everybody is told beside nodemailer's pool alone, at what cost, and what a killed worker does. */
import { setTimeout as pause } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import type { Stack } from '../dev/stack.ts'
import { renderPolicyNotice } from '../mails/policy-notice.tsx'
import { policyNoticeWorkflowId } from '../workflows/policy-notice.contract.ts'
import { historyCost } from './history-cost.ts'
import { runRound } from './measure.ts'

export interface NoticeFigures {
  recipients: number
  mailsPerSecond: number
  /** nodemailer's pool with the same mail, into the same sink, in the same run */
  floorPerSecond: number
  ratio: number
  actionsPer10000: number
  /** by the mail server's books: messages taken more than once, all of them under the same Message-ID */
  duplicates: number
  unreached: number
  kills: number
  /** of deliveries that were in doubt after a kill, by our ledger */
  inDoubt: number
}

interface Options {
  version: string
  recipients: number
  /** the worker is killed after each of these shares of the mails */
  killAt: number[]
  say(line: string): void
}

/** Tells everybody of a new version. The mail server's books must be empty before, and the accounts there. */
export async function benchPolicyNotice(stack: Stack, options: Options): Promise<NoticeFigures> {
  const { version, recipients, killAt, say } = options
  const floorPerSecond = await mailAlone(stack, Math.min(recipients, 20_000))
  say(`nodemailer's pool alone: ${floorPerSecond.toFixed(0)} mails/s`)
  await stack.sims.mailbox.reset()

  const begun = performance.now()
  const answer = await fetch(`${stack.urls.api}/v1/policies`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.keys.operator}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      version,
      title: 'Privacy policy',
      text: 'As before.',
      changes,
      effectiveAt: new Date(Date.now() + 40 * 86_400_000).toISOString(),
      material: true,
    }),
  })
  if (answer.status !== 201) throw new Error(`the policy was not posted: ${answer.status} ${await answer.text()}`)
  for (const share of killAt) {
    await untilCount(stack, share * recipients)
    await stack.worker.kill()
    say(`killed the worker at ${await countMails(stack)} mails`)
    await stack.worker.start()
  }
  await untilTold(stack, version, recipients)
  const seconds = (performance.now() - begun) / 1000
  const mailsPerSecond = recipients / seconds
  say(`told ${recipients} people in ${seconds.toFixed(1)} s: ${mailsPerSecond.toFixed(0)} mails/s`)

  const { messages } = (await stack.sims.mailbox.books()) as unknown as {
    messages: { messageId: string; envelope: { to: string[] } }[]
  }
  const reached = new Set(messages.flatMap(({ envelope }) => envelope.to))
  const unique = new Set(messages.map(({ messageId }) => messageId))
  const [ledger] = await stack.context.sql<{ doubt: number }[]>`
    select count(*) filter (where attempts > 1)::int as doubt from policy_deliveries where version = ${version}`
  return {
    recipients,
    mailsPerSecond,
    floorPerSecond,
    ratio: mailsPerSecond / floorPerSecond,
    actionsPer10000: ((await actionsOf(stack, version)) / recipients) * 10_000,
    duplicates: messages.length - unique.size,
    unreached: recipients - reached.size,
    kills: killAt.length,
    inDoubt: ledger?.doubt ?? 0,
  }
}

const changes = ['We keep one thing less.', 'We answer within two weeks.']

/** The same mail, as many at a time as the notice has under way. */
async function mailAlone(stack: Stack, count: number): Promise<number> {
  const { config } = stack
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }
  const url = `${site.publicUrl}/privacy/next`
  const mail = renderPolicyNotice({ site, version: 'next', effectiveOn: new Date(), changes, url })
  const transport = createTransport({ pool: true, url: config.SMTP_URL, maxConnections: 5 })
  const send = async (index: number): Promise<void> => {
    await transport.sendMail({
      from: config.MAIL_FROM,
      to: `${index}@people.example`,
      messageId: `<${index}@floor.example>`,
      ...mail,
    })
  }
  await runRound(Math.ceil(count / 10), 80, send)
  const { perSecond } = await runRound(count, 80, send)
  transport.close()
  return perSecond
}

async function countMails(stack: Stack): Promise<number> {
  return (await stack.sims.mailbox.do<{ count: number }>('count', {})).count
}

async function untilCount(stack: Stack, count: number): Promise<void> {
  while ((await countMails(stack)) < count) await pause(20)
}

/** By our ledger. After a kill those in doubt wait for their lease to run out and for the next pass. */
async function untilTold(stack: Stack, version: string, recipients: number): Promise<void> {
  for (const deadline = Date.now() + 3_600_000; Date.now() < deadline; await pause(50)) {
    const [row] = await stack.context.sql<{ told: number }[]>`
      select count(*)::int as told from policy_deliveries where version = ${version} and state = 'sent'`
    if ((row?.told ?? 0) >= recipients) return
  }
  throw new Error('not everybody was told within an hour')
}

async function actionsOf({ temporal }: Stack, version: string): Promise<number> {
  let actions = 0
  const workflowId = policyNoticeWorkflowId(version)
  for await (const { runId } of temporal.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    actions += historyCost(await temporal.workflow.getHandle(workflowId, runId).fetchHistory()).actions
  }
  return actions
}
