/**
 * N2, the policy notice, at scale: its speed beside nodemailer's pool alone, its cost, and the effect of a killed
 * worker.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import type { Stack } from '../../dev/stack.ts'
import { renderPolicyNotice } from '../../mails/policy-notice.tsx'
import { textsOf } from '../../messages/texts.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { policyNoticeWorkflowId } from '../../workflows/policy-notice.contract.ts'
import { type CpuTime, cpuPerJob, cpuTime } from '../cpu.ts'
import { historyCost } from '../history-cost.ts'
import { round, runRound } from '../measure.ts'
import type { Say } from '../on-stack.ts'
import { insertPeople } from '../people.ts'
import { until } from '../until.ts'

interface NoticeRun {
  recipients: number
  seconds: number
  mailsPerSecond: number
  actionsPer10000: number
  /** mails that the mail server has got more than once, under the same Message-ID */
  duplicates: number
  unreached: number
  /** deliveries in our ledger with more than one attempt */
  inDoubt: number
}

export interface NoticeFigures {
  /** nodemailer's pool alone, with the same mail to the same mail server in the same run */
  pool: { mailsPerSecond: number; cpu: CpuTime }
  calm: NoticeRun & { ratio: number; cpu: CpuTime }
  killed: NoticeRun & { kills: number }
}

/** The worker is killed after each of these shares of the mails. */
const killAt = [0.33, 0.66]

/** Sends the notice of one version undisturbed, and of another one with a worker that is killed. */
export async function benchPolicyNotice(
  stack: Stack,
  { recipients, say }: { recipients: { calm: number; killed: number }; say: Say },
): Promise<NoticeFigures> {
  say(`making ${recipients.calm} accounts`)
  await insertPeople(stack.context, recipients.calm)
  const pool = await mailAlone(stack, Math.min(recipients.calm, 20_000))
  say(`nodemailer's pool alone: ${round(pool.mailsPerSecond, 0)} mails/s`)

  const before = await cpuTime()
  const calm = await sendNotice(stack, { version: 'calm', recipients: recipients.calm, killAt: [], say })
  const cpu = cpuPerJob(before, await cpuTime(), recipients.calm)
  say('the version takes effect, in skipped time')
  await fastForward(stack.temporal, policyNoticeWorkflowId('calm'), '41 days')
  say(`making ${recipients.killed - recipients.calm} more accounts`)
  await insertPeople(stack.context, recipients.killed - recipients.calm)
  const killed = await sendNotice(stack, { version: 'killed', recipients: recipients.killed, killAt, say })
  return {
    pool,
    calm: { ...calm, ratio: calm.mailsPerSecond / pool.mailsPerSecond, cpu },
    killed: { ...killed, kills: killAt.length },
  }
}

async function sendNotice(
  stack: Stack,
  options: { version: string; recipients: number; killAt: number[]; say: Say },
): Promise<NoticeRun> {
  const { version, recipients, say } = options
  await stack.sims.mailbox.reset()
  const begun = performance.now()
  await post(stack, version)
  for (const share of options.killAt) {
    await untilCount(stack, share * recipients)
    await stack.worker.kill()
    say(`killed the worker at ${await countMails(stack)} mails`)
    await stack.worker.start()
  }
  await untilAllSent(stack, version, recipients)
  const seconds = (performance.now() - begun) / 1000
  say(`sent ${recipients} notices in ${round(seconds)} s`)

  const { messages } = await stack.sims.mailbox.state()
  const reached = new Set(messages.flatMap(({ envelope }) => envelope.to))
  const unique = new Set(messages.map(({ messageId }) => messageId))
  const [ledger] = await stack.context.sql<{ doubt: number }[]>`
    select count(*) filter (where attempts > 1)::int as doubt from policy_deliveries where version = ${version}`
  return {
    recipients,
    seconds,
    mailsPerSecond: recipients / seconds,
    actionsPer10000: ((await actionsOf(stack, version)) / recipients) * 10_000,
    duplicates: messages.length - unique.size,
    unreached: recipients - reached.size,
    inDoubt: ledger?.doubt ?? 0,
  }
}

const changes = ['We keep one thing less.', 'We answer within two weeks.']

async function post({ urls, keys }: Stack, version: string): Promise<void> {
  const answer = await fetch(`${urls.api}/v1/policies`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.operator}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      version,
      title: 'Privacy policy',
      text: 'As before.',
      changes,
      effectiveAt: new Date(Date.now() + 40 * 86_400_000).toISOString(),
      material: true,
    }),
  })
  if (answer.status !== 201) throw new Error(`the policy was not published: ${answer.status} ${await answer.text()}`)
}

/** Sends the same mail without the notice, as many at a time as the notice does. */
async function mailAlone(stack: Stack, count: number): Promise<NoticeFigures['pool']> {
  const { config } = stack
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }
  const url = `${site.publicUrl}/privacy/next`
  const mail = renderPolicyNotice({
    site,
    texts: textsOf('en'),
    version: 'next',
    effectiveOn: new Date(),
    changes,
    url,
  })
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
  const before = await cpuTime()
  const { perSecond } = await runRound(count, 80, send)
  const cpu = cpuPerJob(before, await cpuTime(), count)
  transport.close()
  return { mailsPerSecond: perSecond, cpu }
}

async function countMails(stack: Stack): Promise<number> {
  return (await stack.sims.mailbox.do('count', {})).count
}

async function untilCount(stack: Stack, count: number): Promise<void> {
  while ((await countMails(stack)) < count) await pause(20)
}

/** Longer than the time until a killed worker's page is retried. */
const stalledAfterMs = 20_000

/**
 * Waits until our ledger shows all mails as sent. Mails in doubt after a kill wait for the end of their lease and for
 * the next pass: that time is skipped.
 */
async function untilAllSent({ context: { sql }, temporal }: Stack, version: string, recipients: number): Promise<void> {
  let [sent, since] = [-1, Date.now()]
  await until(
    `all ${recipients} notices are sent`,
    async () => {
      const [row] = await sql<{ sent: number }[]>`
        select count(*)::int as sent from policy_deliveries where version = ${version} and state = 'sent'`
      if (row && row.sent >= recipients) return true
      if (row && row.sent !== sent) [sent, since] = [row.sent, Date.now()]
      else if (Date.now() - since > stalledAfterMs) {
        await fastForward(temporal, policyNoticeWorkflowId(version), '1 hour')
        since = Date.now()
      }
      return undefined
    },
    { timeoutMs: 3_600_000, everyMs: 100 },
  )
}

async function actionsOf({ temporal }: Stack, version: string): Promise<number> {
  let actions = 0
  const workflowId = policyNoticeWorkflowId(version)
  for await (const { runId } of temporal.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    actions += historyCost(await temporal.workflow.getHandle(workflowId, runId).fetchHistory()).actions
  }
  return actions
}
