/** The mailbox's SMTP server: accepts every message, or fails as a rule says. */
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import { z } from 'zod'
import { listenHere } from '../listen.ts'
import type { MailStore } from './store.ts'

/**
 * One fault to inject. Each matching transaction counts against `times`. Rules with `times` for the same recipient
 * apply one after the other, also when they are about different stages.
 */
export const ruleForm = z.strictObject({
  /** an address, or a domain as `@example.com`; by default every recipient matches */
  recipient: z.string().exactOptional(),
  /** the number of transactions that fail; default: every one if `recipient` is given, else 1 */
  times: z.number().exactOptional(),
  /** the command that gets the reply `code`; default `rcpt` */
  stage: z.enum(['connect', 'rcpt', 'data']).exactOptional(),
  /** the SMTP reply, for example 421, 451 or 550 */
  code: z.number().exactOptional(),
  /** the text of the reply, such as `5.7.1 blocked`; default: the address is unknown (5xx), or try again later (4xx) */
  reply: z.string().exactOptional(),
  /** close the connection once the whole message is read: `before` or `after` it is stored */
  drop: z.enum(['before', 'after']).exactOptional(),
  /** wait before the final reply, milliseconds */
  delayMs: z.number().exactOptional(),
})
export type Rule = z.infer<typeof ruleForm>

interface ActiveRule extends Rule {
  left: number
}

export interface SmtpSink {
  port: number
  rules: {
    add(rule: Rule): void
    clear(): void
  }
  /** the refused and interrupted transactions, oldest first */
  refusals: { at: string; stage: string; code: number | 'dropped'; recipient: string }[]
  stop(): Promise<void>
}

/** Listens on 127.0.0.1 without TLS or authentication. `port` 0 takes a free one. */
export async function startSmtpSink(store: MailStore, port: number): Promise<SmtpSink> {
  let rules: ActiveRule[] = []
  const refusals: SmtpSink['refusals'] = []

  const take = (stage: NonNullable<Rule['stage']>, recipient: string): Rule | undefined => {
    const current = rules.filter(({ left }) => left > 0)
    const waits = (rule: ActiveRule): boolean => {
      const first = current.find((earlier) => rule.recipient !== undefined && earlier.recipient === rule.recipient)
      return first !== undefined && first !== rule && Number.isFinite(first.left)
    }
    const rule = current.find(
      (candidate) => stageOf(candidate) === stage && hits(candidate, recipient) && !waits(candidate),
    )
    if (rule) rule.left -= 1
    return rule
  }

  const refuse = (stage: string, { code = 451, reply }: Rule, recipient: string): Error => {
    refusals.push({ at: new Date().toISOString(), stage, code, recipient })
    // Real servers quote the address as well.
    const about = recipient && `<${recipient}> `
    const usual = code < 500 ? `4.3.0 ${about}try again later` : `5.1.1 ${about}mailbox unavailable`
    return Object.assign(new Error(reply ?? usual), { responseCode: code })
  }

  const cut = (session: SMTPServerSession): void => {
    for (const connection of server.connections) if (connection.id === session.id) connection.close()
  }

  const server = new SMTPServer({
    banner: 'simulated mailbox',
    disabledCommands: ['STARTTLS', 'AUTH'],
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    maxAllowedUnauthenticatedCommands: false,
    logger: false,
    onConnect(_session, callback) {
      const rule = take('connect', '')
      callback(rule?.code ? refuse('connect', rule, '') : null)
    },
    async onRcptTo(address, _session, callback) {
      const rule = take('rcpt', address.address)
      if (rule?.delayMs) await pause(rule.delayMs)
      callback(rule?.code ? refuse('rcpt', rule, address.address) : null)
    },
    async onData(stream, session, callback) {
      let content: Buffer
      try {
        content = await buffer(stream)
      } catch {
        // The client's connection ended within the message: nothing is stored, and nobody waits for a reply.
        return
      }
      const to = session.envelope.rcptTo.map((recipient) => recipient.address)
      const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : ''
      const rule = take('data', to[0] ?? '')
      if (rule?.delayMs) await pause(rule.delayMs)
      if (rule?.code) return callback(refuse('data', rule, to[0] ?? ''))
      if (rule?.drop !== 'before') store.add({ from, to }, content)
      if (rule?.drop) {
        refusals.push({ at: new Date().toISOString(), stage: 'data', code: 'dropped', recipient: to[0] ?? '' })
        return cut(session)
      }
      callback(null, `2.0.0 stored as ${store.count()}`)
    },
  })
  // A client that closes its connection early is no fault of the server.
  server.on('error', () => undefined)
  const actual = await listenHere(server.server, port)

  return {
    port: actual,
    refusals,
    rules: {
      add: (rule) => {
        rules.push({ ...rule, left: rule.times ?? (rule.recipient === undefined ? 1 : Number.POSITIVE_INFINITY) })
      },
      clear: () => {
        rules = []
      },
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** A drop happens after DATA. A delay without a code does too, when the whole message has arrived. */
const stageOf = (rule: Rule): NonNullable<Rule['stage']> =>
  rule.stage ?? (rule.drop || (rule.delayMs && !rule.code) ? 'data' : 'rcpt')

const hits = (rule: Rule, recipient: string): boolean =>
  rule.recipient === undefined ||
  recipient.toLowerCase() === rule.recipient.toLowerCase() ||
  (rule.recipient.startsWith('@') && recipient.toLowerCase().endsWith(rule.recipient.toLowerCase()))
