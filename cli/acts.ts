/**
 * `npm run cli -- <command>`: what operators do on the console, over the HTTP API. Beside `npm start` it finds that
 * stack and its operator key; otherwise AMA_API_URL and AMA_OPERATOR_KEY name them. `--json` prints the API's answers.
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { text as textOf } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { endWithUsage, missingOf, readArguments } from '../shared/process/arguments.ts'
import { messageOf } from '../shared/process/message-of.ts'
import { environmentBeside } from './running-stack.ts'
import { linesOf, printable } from './terminal-lines.ts'

const usage = `Usage: npm run cli -- <command> [--json]
  search <text>                     find an order or account; -: what standard input says
  timeline <order>                  what happened to an order
  act <order> approve|reject|resend|retry|refund|refund-part|cancel|note --reason <text>
      --amount 4.50|all [--cause goodwill --esims kept|returned]   of refund-part
  acts [<subject>]                  what was done that is about no account, or to one campaign, breach, ...
  tasks                             the open tasks, the most urgent first
  task take|note|settle <task> --reason <text>
  task complete|try-again <task> --reason <text>     a deletion's step that was left to operators
  account note|sign-out|delete|child-report <account> --reason <text>
  account waive-old-address <account> --new-email-file <file> --reason <text>
  privacy enter <kind> --message-file <file> --reason <text>     a request that came by phone, letter or mail
      [--account <account>] [--reply-to-file <file>] [--received <time>]   without an account: where to answer
  privacy answer <request> --outcome granted|... --reason <text>
      [--answer-file <file>]        without one: answered elsewhere
  privacy extend <request> --because complexity|number_of_requests --reason <text>
  dispute submit|accept <order> <dispute> --reason <text>
  bulk prepare retry|refund|apologise --reason <text>
      [--status <state>]... [--provider <id>] [--paid-from <time>] [--paid-until <time>]
      [--same-orders-as <bulk action>] [--limit <number>]
  bulk start|watch|show|orders <bulk action>
  bulk pause|resume|cancel <bulk action> --reason <text>
  A <file> that is - is standard input.
  --key <text>                      repeats an act under its Idempotency-Key`

const text = { type: 'string' } as const
const options = {
  json: { type: 'boolean', default: false },
  reason: text,
  amount: text,
  cause: text,
  esims: text,
  status: { type: 'string', multiple: true },
  provider: text,
  'paid-from': text,
  'paid-until': text,
  'same-orders-as': text,
  limit: text,
  key: text,
  outcome: text,
  'answer-file': text,
  'message-file': text,
  'reply-to-file': text,
  account: text,
  received: text,
  because: text,
  'new-email-file': text,
} as const
const { positionals, values } = readArguments(usage, options, { words: true })

type Json = Record<string, unknown>
const json = z.record(z.string(), z.unknown())
const problem = z.object({
  title: z.string(),
  detail: z.string().default(''),
  errors: z.array(z.object({ field: z.string(), reason: z.string() })).default([]),
})
const pageForm = z.object({ items: z.array(json), nextCursor: z.string().nullable() })
const counts = z.record(z.string(), z.number())

class Refused extends Error {
  override readonly name = 'Refused'
}

const { AMA_API_URL: url, AMA_OPERATOR_KEY } = await environmentBeside(process.env)
/** That of a file ends with a line break, and the error about such a header would show it. */
const key = AMA_OPERATOR_KEY?.trim()
/** @returns the exit code: 1 for what was refused, 2 for a wrong command */
async function run(): Promise<number> {
  const work = workOf(positionals)
  if (!work)
    return endWithUsage(
      usage,
      positionals.length === 0 ? 'A command is missing.' : 'There is no such command, or a part of it is missing.',
    )
  if (!url || !key || !URL.canParse(url)) {
    console.error('No stack runs here (npm start), and AMA_API_URL and AMA_OPERATOR_KEY do not name another one.')
    return 2
  }
  try {
    await work()
    return 0
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    console.error(error.message)
    return 1
  }
}

function workOf([command, first = '', second = '', third = '']: string[]): (() => Promise<void>) | undefined {
  if (command === 'search' && first)
    return async () => show('POST', '/v1/operator/search', { query: first === '-' ? await lineIn('-') : first })
  if (command === 'timeline' && first) return () => show('GET', `/v1/operator/orders/${path(first)}/timeline`)
  if (command === 'act' && first && second) return act(first, second)
  if (command === 'acts') return () => everyOne('/v1/operator-acts', given({ subject: first || undefined }))
  if (command === 'tasks') return () => everyOne('/v1/operator-tasks')
  if (command === 'task' && second) return taskWork(first, `/v1/operator-tasks/${path(second)}`)
  if (command === 'account' && second) return accountWork(first, path(second))
  if (command === 'privacy' && first === 'enter' && second) return enterRequest(second)
  if (command === 'privacy' && second) return requestWork(first, `/v1/privacy-requests/${path(second)}`)
  if (command === 'dispute' && ['submit', 'accept'].includes(first) && third) {
    const address = `/v1/orders/${path(second)}/disputes/${path(third)}/${first}`
    return withReason((reason) => show('POST', address, { reason }))
  }
  if (command !== 'bulk' || !second) return undefined
  const address = `/v1/bulk-actions/${path(second)}`
  if (first === 'prepare') return withReason((reason) => prepare(second, reason))
  if (first === 'show') return () => show('GET', address)
  if (first === 'orders') return () => everyOne(`${address}/orders`)
  if (first === 'watch') return () => watch(address)
  if (first === 'start') return () => show('POST', `${address}/start`)
  if (['pause', 'resume', 'cancel'].includes(first))
    return withReason((reason) => show('POST', `${address}/${first}`, { reason }))
  return undefined
}

const path = encodeURIComponent

/** Only the options that were given. */
const given = (fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

function act(order: string, name: string): () => Promise<void> {
  // Whoever forgets the amount has not asked for all that is left.
  const part = name === 'refund-part' ? needed('amount') : values.amount
  const { cause, esims } = values
  const fields = { amount: part === 'all' ? undefined : part, cause, esims }
  const address = `/v1/operator/orders/${path(order)}/acts`
  return withReason((reason) => show('POST', address, given({ act: name, reason, ...fields })))
}

/** The API asks programs for no reason; people are asked for one. */
function withReason(work: (reason: string) => Promise<void>): () => Promise<void> {
  const reason = needed('reason')
  return () => work(reason)
}

/** The value of an option without which nothing is asked. */
function needed(option: 'message-file' | 'reason' | 'outcome' | 'because' | 'new-email-file' | 'amount'): string {
  const { [option]: value } = values
  return value || endWithUsage(usage, missingOf({ [option]: value }) ?? '')
}

function taskWork(name: string, address: string): (() => Promise<void>) | undefined {
  if (name === 'take') return withReason((reason) => show('POST', `${address}/take`, { reason }))
  if (name === 'note') return withReason((note) => show('POST', `${address}/note`, { note }))
  if (name === 'settle') return withReason((note) => show('POST', `${address}/close`, { note }))
  if (name === 'complete') return withReason((note) => show('POST', `${address}/complete`, { note }))
  if (name === 'try-again') return withReason((reason) => show('POST', `${address}/try-again`, { reason }))
  return undefined
}

function accountWork(name: string, account: string): (() => Promise<void>) | undefined {
  const addresses: Record<string, string> = {
    note: `/v1/operator/accounts/${account}/notes`,
    'waive-old-address': `/v1/accounts/${account}/email-change/waive-old`,
    'child-report': `/v1/accounts/${account}/child-report`,
    'sign-out': `/v1/accounts/${account}/sign-out`,
  }
  if (name === 'delete') return withReason((reason) => show('DELETE', `/v1/accounts/${account}?reason=${path(reason)}`))
  const address = Object.hasOwn(addresses, name) ? addresses[name] : undefined
  if (address === undefined) return undefined
  if (name !== 'waive-old-address') return withReason((reason) => show('POST', address, { reason }))
  // Another change of address may have been asked for since the operator has looked.
  const file = needed('new-email-file')
  return withReason(async (reason) => show('POST', address, { newEmail: await lineIn(file), reason }))
}

/** What a file or standard input (-) says: others on the machine see what stands in a command, and shells keep it. */
const textIn = (file: string): Promise<string> =>
  (file === '-' ? textOf(process.stdin) : readFile(file, 'utf8')).catch(unreadable)

const lineIn = async (file: string): Promise<string> => (await textIn(file)).trim()

function requestWork(name: string, address: string): (() => Promise<void>) | undefined {
  if (name === 'extend') {
    const because = needed('because')
    return withReason((note) => show('POST', `${address}/extend`, { reason: because, note }))
  }
  if (name !== 'answer') return undefined
  const answerKind = needed('outcome')
  return withReason(async (reason) => {
    const file = values['answer-file']
    const answer = file === undefined ? null : await textIn(file)
    await show('POST', `${address}/resolve`, { answerKind, answer, reason })
  })
}

function enterRequest(kind: string): () => Promise<void> {
  const { 'reply-to-file': replyToFile, account: accountId, received: receivedAt } = values
  const file = needed('message-file')
  return withReason(async (reason) => {
    const replyTo = replyToFile === undefined ? undefined : await lineIn(replyToFile)
    const message = await textIn(file)
    await show('POST', '/v1/privacy-requests', given({ kind, message, accountId, replyTo, receivedAt, reason }))
  })
}

async function everyOne(address: string, query: Json = {}): Promise<void> {
  for await (const item of itemsOf(address, query)) print(item)
}

async function prepare(name: string, reason: string): Promise<void> {
  const selection = given({
    statuses: values.status,
    provider: values.provider,
    paidFrom: values['paid-from'],
    paidUntil: values['paid-until'],
    sameOrdersAs: values['same-orders-as'],
  })
  const limit = values.limit === undefined ? undefined : Number(values.limit)
  await show('POST', '/v1/bulk-actions', given({ act: name, selection, reason, limit }))
}

async function* itemsOf(address: string, query: Json): AsyncGenerator<Json> {
  let cursor: string | null = null
  do {
    const asked = Object.entries({ limit: 200, ...query, ...(cursor !== null && { cursor }) })
    const search = asked.map(([name, value]) => `${name}=${path(String(value))}`).join('&')
    const answer = await ask('GET', `${address}?${search}`)
    const page = pageForm.safeParse(answer).data ?? foreign(200)
    yield* page.items
    cursor = page.nextCursor
  } while (cursor !== null)
}

/** Shows the progress until the bulk action is over; on a terminal in one line. */
async function watch(address: string): Promise<void> {
  for (;;) {
    const action = await ask('GET', address)
    const { done = 0, refused = 0, unknown = 0 } = counts.safeParse(action.outcomes).data ?? foreign(200)
    const ended = done + refused + unknown
    const line = `${String(action.state)}: ${ended} of ${String(action.orderCount)}`
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`)
    if (action.state !== 'running') {
      if (process.stderr.isTTY) process.stderr.write('\n')
      return print(action)
    }
    await delay(1_000)
  }
}

async function show(method: 'GET' | 'POST' | 'DELETE', address: string, body?: Json): Promise<void> {
  print(await ask(method, address, body))
}

/** @throws Refused with the API's own words */
async function ask(method: 'GET' | 'POST' | 'DELETE', address: string, body?: Json): Promise<Json> {
  const idempotencyKey = values.key ?? randomUUID()
  const repeat = method === 'POST' ? `\n  The same again: --key ${idempotencyKey}` : ''
  const { status, ok, text } = await fetch(new URL(address, url), {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(method === 'POST' && { 'idempotency-key': idempotencyKey }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
    .then(async (response) => ({ status: response.status, ok: response.ok, text: await response.text() }))
    .catch((error: unknown) => {
      throw new Refused(`${url} does not answer: ${wordsOf(error)}${repeat}`)
    })
  const answer = jsonIn(text)
  if (answer === undefined) return foreign(status, repeat)
  if (ok) return answer
  if (values.json) printJson(answer)
  const { data } = problem.safeParse(answer)
  if (data === undefined) return foreign(status, repeat)
  const errors = data.errors.map(({ field, reason }) => `\n  ${printable(`${field}: ${reason}`)}`)
  throw new Refused(
    `${printable(`${data.title}. ${data.detail}`)}${errors.join('')}${status === 503 || status === 409 ? repeat : ''}`,
  )
}

/** An answer of a proxy, for example, which does not know whether the API has done it. */
function foreign(status: number, repeat = ''): never {
  throw new Refused(`${url} answered ${status}, but not in the API's form. Is there a proxy before it?${repeat}`)
}

/** Each answer of the API is an object. */
function jsonIn(text: string): Json | undefined {
  try {
    return json.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** fetch says "fetch failed", and why in the cause. */
function wordsOf(error: unknown): string {
  return messageOf(error instanceof Error ? (error.cause ?? error) : error)
}

function unreadable(error: unknown): never {
  throw new Refused(`The file cannot be read: ${wordsOf(error)}`)
}

function print(answer: Json): void {
  if (values.json) printJson(answer)
  else for (const line of linesOf(answer)) process.stdout.write(`${line}\n`)
}

const printJson = (answer: Json): void => void process.stdout.write(`${printable(JSON.stringify(answer))}\n`)

process.exitCode = await run()
