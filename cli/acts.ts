/**
 * `npm run cli -- <command>`: what operators do on the console, over the HTTP API. Beside `npm start` it finds that stack
 * and its operator key; otherwise AMA_API_URL and AMA_OPERATOR_KEY name them. `--json` prints the API's answers.
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { environmentBeside } from './running-stack.ts'

const usage = `Usage: npm run cli -- <command> [--json]
  search <text>                     find an order or account
  timeline <order>                  what happened to an order
  act <order> approve|reject|resend|retry|refund|refund-part|cancel|note --reason <text>
      [--amount 4.50 --cause goodwill --esims kept|returned]   of refund-part
  tasks                             the open tasks, the most urgent first
  task take|note|settle <task> --reason <text>
  account note <account> --reason <text>
  privacy answer <request> --outcome granted|... [--answer-file <file>]   without one: answered elsewhere
  privacy extend <request> --because complexity|number_of_requests
  dispute submit|accept <order> <dispute> --reason <text>
  bulk prepare retry|refund|apologise --reason <text>
      [--status <state>]... [--provider <id>] [--paid-from <time>] [--paid-until <time>]
      [--same-orders-as <bulk action>] [--limit <number>]
  bulk start|watch|pause|resume|cancel|show|orders <bulk action>
  --key <text>                      repeats an act under its Idempotency-Key`

const text = { type: 'string' } as const
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
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
    because: text,
  },
})

type Json = Record<string, unknown>
const json = z.record(z.string(), z.unknown())
const pageForm = z.object({ items: z.array(json), nextCursor: z.string().nullable() })
const counts = z.record(z.string(), z.number())
const fieldErrors = z.array(z.object({ field: z.string(), reason: z.string() }))

class Refused extends Error {
  override readonly name = 'Refused'
}

const { AMA_API_URL: url, AMA_OPERATOR_KEY: key } = await environmentBeside(process.env)
/** @returns the exit code: 1 for what was refused, 2 for a command that is none */
async function run(): Promise<number> {
  const work = workOf(positionals)
  if (!work) {
    console.error(usage)
    return 2
  }
  if (!url || !key) {
    console.error('No stack runs here (npm start), and AMA_API_URL and AMA_OPERATOR_KEY are not set.')
    return 2
  }
  try {
    await work()
    return 0
  } catch (error) {
    if (error instanceof Refused) console.error(error.message)
    // `fetch` throws a TypeError when nobody answers.
    else if (error instanceof TypeError) console.error(`${url} does not answer: ${error.message}`)
    else throw error
    return 1
  }
}

function workOf([command, first = '', second = '', third = '']: string[]): (() => Promise<void>) | undefined {
  if (command === 'search' && first) return () => show('POST', '/v1/operator/search', { query: first })
  if (command === 'timeline' && first) return () => show('GET', `/v1/operator/orders/${path(first)}/timeline`)
  if (command === 'act' && first && second) return () => act(first, second)
  if (command === 'tasks') return everyTask
  if (command === 'task' && second) return taskWork(first, `/v1/operator-tasks/${path(second)}`)
  if (command === 'account' && first === 'note' && second)
    return () => show('POST', `/v1/operator/accounts/${path(second)}/notes`, given({ reason: values.reason }))
  if (command === 'privacy' && second) return requestWork(first, `/v1/privacy-requests/${path(second)}`)
  if (command === 'dispute' && ['submit', 'accept'].includes(first) && third) {
    const address = `/v1/orders/${path(second)}/disputes/${path(third)}/${first}`
    return () => withReason((reason) => show('POST', address, { reason }))
  }
  if (command !== 'bulk' || !second) return undefined
  const address = `/v1/bulk-actions/${path(second)}`
  if (first === 'prepare') return () => prepare(second)
  if (first === 'show') return () => show('GET', address)
  if (first === 'orders') return () => everyOrder(`${address}/orders`)
  if (first === 'watch') return () => watch(address)
  if (['start', 'pause', 'resume', 'cancel'].includes(first)) return () => show('POST', `${address}/${first}`)
  return undefined
}

const path = encodeURIComponent

/** Only the options that were given. */
const given = (fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

async function act(order: string, name: string): Promise<void> {
  const { reason, amount, cause, esims } = values
  await show('POST', `/v1/operator/orders/${path(order)}/acts`, given({ act: name, reason, amount, cause, esims }))
}

/** The API asks programs for no reason here; people are asked for one. @throws Refused */
async function withReason(work: (reason: string) => Promise<void>): Promise<void> {
  if (values.reason === undefined) throw new Refused('It needs a reason: --reason <text>')
  await work(values.reason)
}

function taskWork(name: string, address: string): (() => Promise<void>) | undefined {
  if (name === 'take') return () => withReason((reason) => show('POST', `${address}/take`, { reason }))
  if (name === 'note') return () => withReason((note) => show('POST', `${address}/note`, { note }))
  if (name === 'settle') return () => withReason((note) => show('POST', `${address}/close`, { note }))
  return undefined
}

function requestWork(name: string, address: string): (() => Promise<void>) | undefined {
  if (name === 'extend') return () => show('POST', `${address}/extend`, given({ reason: values.because }))
  if (name !== 'answer') return undefined
  return async () => {
    const file = values['answer-file']
    const answer = file === undefined ? null : await readFile(file, 'utf8')
    await show('POST', `${address}/resolve`, given({ answerKind: values.outcome, answer }))
  }
}

async function everyTask(): Promise<void> {
  for await (const task of itemsOf('/v1/operator-tasks')) print(task)
}

async function prepare(name: string): Promise<void> {
  const selection = given({
    statuses: values.status,
    provider: values.provider,
    paidFrom: values['paid-from'],
    paidUntil: values['paid-until'],
    sameOrdersAs: values['same-orders-as'],
  })
  const limit = values.limit === undefined ? undefined : Number(values.limit)
  await show('POST', '/v1/bulk-actions', given({ act: name, selection, reason: values.reason, limit }))
}

async function everyOrder(address: string): Promise<void> {
  for await (const order of itemsOf(address)) print(order)
}

async function* itemsOf(address: string): AsyncGenerator<Json> {
  let cursor: string | null = null
  do {
    const page = pageForm.parse(
      await ask('GET', `${address}?limit=200${cursor === null ? '' : `&cursor=${path(cursor)}`}`),
    )
    yield* page.items
    cursor = page.nextCursor
  } while (cursor !== null)
}

/** Shows the progress until the bulk action is over; on a terminal in one line. */
async function watch(address: string): Promise<void> {
  for (;;) {
    const action = await ask('GET', address)
    const { done = 0, refused = 0, unknown = 0 } = counts.parse(action.outcomes)
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

async function show(method: 'GET' | 'POST', address: string, body?: Json): Promise<void> {
  print(await ask(method, address, body))
}

/** @throws Refused with the API's own words */
async function ask(method: 'GET' | 'POST', address: string, body?: Json): Promise<Json> {
  const idempotencyKey = values.key ?? randomUUID()
  const response = await fetch(new URL(address, url), {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(method === 'POST' && { 'idempotency-key': idempotencyKey }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const answer = json.parse(await response.json())
  if (response.ok) return answer
  if (values.json) process.stdout.write(`${JSON.stringify(answer)}\n`)
  const errors = fieldErrors.parse(answer.errors ?? []).map(({ field, reason }) => `\n  ${field}: ${reason}`)
  const repeat = response.status === 503 || response.status === 409 ? `\n  The same again: --key ${idempotencyKey}` : ''
  throw new Refused(
    `${String(answer.title)}. ${String(answer.detail ?? '')}${errors.join('')}${method === 'POST' ? repeat : ''}`,
  )
}

function print(answer: Json): void {
  if (values.json) process.stdout.write(`${JSON.stringify(answer)}\n`)
  else for (const line of linesOf(answer)) process.stdout.write(`${line}\n`)
}

/** Names and values, one a line; lists indented. */
function linesOf(answer: Json, indent = ''): string[] {
  return Object.entries(answer).flatMap(([name, value]) => {
    if (Array.isArray(value)) {
      const items = value.map((item) =>
        typeof item === 'object' ? `${indent}  ${compact({ ...item })}` : `${indent}  ${item}`,
      )
      return [`${indent}${name}:${value.length === 0 ? ' none' : ''}`, ...items]
    }
    if (typeof value === 'object' && value !== null)
      return [`${indent}${name}:`, ...linesOf({ ...value }, `${indent}  `)]
    return value === null ? [] : [`${indent}${name}: ${String(value)}`]
  })
}

const compact = (item: Json): string =>
  Object.values(item)
    .filter((value) => value !== null && typeof value !== 'object')
    .join('  ')

process.exitCode = await run()
