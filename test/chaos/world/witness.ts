/** Writes down what the API acknowledges, and asks it at the end. */
import { readdir, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import pMap from 'p-map'
import { unreturned } from '../../../activities/order/provider-returns.ts'
import { topUpApplied } from '../../../activities/order/top-up.ts'
import { milliseconds } from '../../../policy/periods.ts'
import { booksPeriodEnds, plusDays } from '../../../shared/calendar.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { backupType } from '../../../workflows/backup/backup.contract.ts'
import {
  booksCohortsType,
  invoiceRetentionWorkflowId,
} from '../../../workflows/retention/invoice-retention.contract.ts'
import { type Answer, expectStatus } from '../../harness/http.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { until } from '../../harness/until.ts'
import {
  type AccountExport,
  type Acknowledgements,
  type Event,
  type Order,
  type Person,
  subjectsOf,
  sum,
} from '../oracles/record.ts'
import { untilAnswered } from './caller.ts'
import type { WorldStack } from './stack/stack.ts'

export type Witness = ReturnType<typeof createWitness>
type Journal = Acknowledgements['journal']

/** What was in the books before this world. */
export interface Asked {
  years: number
  journalBefore: Journal
  ossBefore: Acknowledgements['oss']
  endpoints: Acknowledgements['endpoints']
}

const { day: dayMs } = milliseconds
const ms = (time: string | null | undefined): number | null => (time ? Date.parse(time) : null)

export function createWitness(stack: WorldStack) {
  const { service, operator, anonymous } = stack
  const startedAt = new Date()
  const people = new Map<string, Person>()
  const orders = new Map<string, Order>()
  const said: Pick<Acknowledgements, 'campaigns' | 'policies' | 'privacyRequests' | 'foreignFields' | 'signIns'> = {
    campaigns: [],
    policies: [],
    privacyRequests: [],
    foreignFields: [],
    signIns: [],
  }
  let validate: ReturnType<Ajv2020['compile']> | undefined
  let hasBackups = false
  /** questions at the end that nobody has answered */
  const unanswered: string[] = []
  /** as the app backend has read them, before the database was lost as well */
  const read = new Map<string, { event: Omit<Event, 'isLost'>; losses: number }>()
  const losses: Acknowledgements['losses'] = []

  /** Reads an order; an order that went with its account keeps its last state. */
  async function look(order: Order): Promise<Order> {
    const { status, body } = await untilAnswered(service, 'GET', `/v1/orders/${order.orderId}`)
    order.answers = status
    if (status !== 200) return order
    const at = Date.now()
    if (body.status !== order.status) order.changedAt = at
    for (const { iccid } of body.esims) order.seenAt[iccid] ??= at
    return Object.assign(order, {
      status: body.status,
      paidAt: ms(body.paidAt),
      deliveredAt: ms(body.deliveredAt),
      iccids: order.isTopUp ? [] : body.esims.map(({ iccid }: { iccid: string }) => iccid),
      matchingIds: order.isTopUp
        ? []
        : body.esims.flatMap(({ matchingId }: { matchingId: string | null }) => matchingId ?? []),
      documents: body.documents.map(({ number }: { number: string }) => number),
    })
  }

  async function lookAt(person: Person): Promise<void> {
    const { status, body } = await untilAnswered(service, 'GET', `/v1/accounts/${person.accountId}`)
    person.seen =
      status === 200
        ? {
            status,
            email: body.email,
            firstName: body.firstName,
            lastName: body.lastName,
            phone: body.phone,
            promotions: body.consents.promotions.granted,
            subjects: body.identities.flatMap(({ provider, subject }: Record<string, string>) =>
              provider === 'firebase' ? [] : subject,
            ),
          }
        : { status }
  }

  const registerDevice = ({ accountId, deviceId, pushToken, appInstanceId }: Person): Promise<Answer> =>
    untilAnswered(service, 'PUT', `/v1/accounts/${accountId}/devices/${deviceId}`, {
      platform: 'ios',
      pushToken,
      appInstanceId,
    })

  /** A restore takes the push tokens of all phones away (decision 0480): their apps register them again. */
  async function registerAgain(person: Person): Promise<void> {
    if (!person.deletion && !person.inactive && !person.tokenIsStale) await registerDevice(person)
  }

  /** The backup has people who were erased after it. */
  async function lookForReturned(person: Person): Promise<void> {
    await lookAt(person)
    if (person.deletion && person.seen.status !== 404) person.deletion.wasRestored = true
  }

  async function readExport(person: Person): Promise<AccountExport> {
    const answer = await untilAnswered(service, 'GET', `/v1/accounts/${person.accountId}/export`)
    const body = expectStatus(answer, 200)
    validate ??= new Ajv2020({ strict: false, validateFormats: false }).compile(
      JSON.parse((await anonymous.get(new URL(body.$schema).pathname)).text),
    )
    validate(body)
    return {
      faults: (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`),
      account: body.account,
      subjects: body.identities.map(({ subject }: { subject: string }) => subject),
      linked: subjectsOf(person),
      devices: body.devices,
      orders: body.orders,
    }
  }

  async function readEvents(): Promise<void> {
    let cursor = ''
    for (;;) {
      const since = cursor === '' ? `since=${startedAt.toISOString()}` : `cursor=${encodeURIComponent(cursor)}`
      const page = expectStatus(await untilAnswered(service, 'GET', `/v1/events?limit=100&${since}`), 200)
      for (const { id, type, timestamp, data } of page.items)
        read.set(`${losses.length} ${id}`, {
          losses: losses.length,
          event: {
            id,
            type,
            at: Date.parse(timestamp),
            accountId: data.accountId ?? null,
            orderId: data.orderId ?? null,
            receiptId: data.receiptId ?? null,
          },
        })
      if (page.nextCursor === null) return
      cursor = page.nextCursor
    }
  }

  /** How many numbers of documents the reports of all restores name as lost. */
  async function readLostNumbers(): Promise<number> {
    const { items } = expectStatus(await untilAnswered(operator, 'GET', '/v1/restores'), 200)
    return sum(items.flatMap(({ lostNumbers }: { lostNumbers: Record<string, number> }) => Object.values(lostNumbers)))
  }

  /** As the tasks of operators name them. */
  async function readAppliedAnyway(): Promise<string[]> {
    const orderIds: string[] = []
    let after = ''
    for (;;) {
      const page = expectStatus(await untilAnswered(operator, 'GET', `/v1/operator-tasks?limit=100${after}`), 200)
      for (const { kind, detail, subjectId } of page.items)
        if (kind === unreturned && detail === topUpApplied) orderIds.push(subjectId)
      if (page.nextCursor === null) return orderIds
      after = `&cursor=${encodeURIComponent(page.nextCursor)}`
    }
  }

  async function readBackups(): Promise<Acknowledgements['backups']> {
    if (!hasBackups) return []
    const laterByDays = 31
    try {
      // One that ends behind the later run, which is ahead of it by a month, would be a month old and not pruned.
      const isOpen = `WorkflowType = '${backupType}' and ExecutionStatus = 'Running'`
      await until('all backups have ended', async () => (await stack.temporal.workflow.count(isOpen)).count === 0, {
        timeoutMs: 600_000,
      })
      await ageUnfinished(stack.config.BACKUP_FOLDER, laterByDays)
      await runLater(stack, backupType, laterByDays, [], { timeoutMs: 600_000 })
    } catch (error) {
      unanswered.push(`backups after ${laterByDays} days: ${error}`)
      return []
    }
    const { items } = expectStatus(await untilAnswered(operator, 'GET', '/v1/backups'), 200)
    const checkedAt = Date.now() + laterByDays * dayMs
    const listed = items.map(({ id, state, startedAt: at }: { id: string; state: string; startedAt: string }) => ({
      name: id,
      kept: state === 'kept',
      ageMs: checkedAt - Date.parse(at),
    }))
    // A file that the list does not have, or has as deleted, is kept all the same.
    const stored = (await readdir(stack.config.BACKUP_FOLDER)).flatMap((name) => {
      const [, day, hours, minutes, seconds] = /^dump-([\d-]{10})T(\d\d)-(\d\d)-(\d\d)-\d{3}Z/.exec(name) ?? []
      return day === undefined
        ? []
        : [{ name, kept: true, ageMs: checkedAt - Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`) }]
    })
    return [...listed, ...stored]
  }

  return {
    people,
    orders,
    startedAt,
    unanswered,
    ...said,
    look,
    lookAt,
    registerDevice,
    async export(person: Person): Promise<void> {
      person.exported = await readExport(person)
    },
    /**
     * Called right before the database is lost. @param from when its backup was begun @returns to be called when it is
     * restored
     */
    async losesDatabase(from: number): Promise<() => Promise<void>> {
      await readEvents()
      const loss = { from, until: Number.POSITIVE_INFINITY }
      losses.push(loss)
      hasBackups = true
      return async () => {
        loss.until = Date.now()
        const all = [...people.values()]
        await pMap(
          all.filter(({ deletion }) => deletion),
          lookForReturned,
          { concurrency: 16 },
        )
        await pMap(all, registerAgain, { concurrency: 16 })
      }
    },
    backupWasMade(): void {
      hasBackups = true
    },
    /** Asks for the last time. */
    async testify({ years, journalBefore, ossBefore, endpoints }: Asked): Promise<Acknowledgements> {
      await pMap(people.values(), lookAt, { concurrency: 16 })
      await pMap(orders.values(), look, { concurrency: 16 })
      const known = new Set(journalBefore.entries.map(({ number }) => number))
      const journal = await readJournal(stack)
      const oss = await readOss(stack)
      const eventsReadAt = Date.now()
      await readEvents()
      return {
        ...said,
        people: [...people.values()],
        orders: [...orders.values()],
        events: [...read.values()].map(({ event, losses: before }) => ({ ...event, isLost: before < losses.length })),
        eventsReadAt,
        endpoints,
        losses,
        journal: { text: journal.text, entries: journal.entries.filter(({ number }) => !known.has(number)) },
        oss: {
          ...oss,
          states: [
            ...oss.states,
            ...ossBefore.states.map(({ country, grossMinor }) => ({ country, grossMinor: -grossMinor })),
          ],
        },
        lostNumbers: await readLostNumbers(),
        backups: await readBackups(),
        crashes: [...stack.crashes],
        appliedAnyway: await readAppliedAnyway(),
        ...(years >= 7 && { journalAfterPeriod: await endPeriods() }),
      }
    },
  }

  /** Lets the periods of all books pass. The schedule that opens the runs of the months is paused in a world. */
  async function endPeriods(): Promise<Journal> {
    const { temporal, config } = stack
    const period = { years: config.BOOKS_YEARS, countFrom: config.BOOKS_COUNT_FROM }
    try {
      await runLater(stack, booksCohortsType, 0)
      const { items } = expectStatus(await untilAnswered(operator, 'GET', '/v1/books'), 200)
      for (const { month } of items) {
        const monthAfter = new Date(`${month}-01T00:00:00.000Z`)
        monthAfter.setUTCMonth(monthAfter.getUTCMonth() + 1)
        const lastDay = plusDays(monthAfter, -1)
        const forMs = booksPeriodEnds(lastDay, period).getTime() + dayMs - Date.now()
        await fastForward(temporal, invoiceRetentionWorkflowId(month), forMs, { timeoutMs: 600_000 })
      }
    } catch (error) {
      unanswered.push(`books after ${period.years} years: ${error}`)
    }
    return await readJournal(stack)
  }
}

/** The operators' journal of all documents. */
export async function readJournal({ operator }: WorldStack): Promise<Journal> {
  const { text } = await untilAnswered(operator, 'GET', '/v1/books/journal?from=2026-01-01&to=2037-12-31')
  return {
    text,
    entries: rowsIn(text).map((row) => ({
      number: row('number'),
      grossMinor: minor(row('gross')),
      memberState: row('vat_scope') === 'member_state' ? row('vat_country') : null,
      issuedOn: row('issued_on'),
    })),
  }
}

/** The One Stop Shop's file of this quarter. */
export async function readOss({ operator }: WorldStack): Promise<Acknowledgements['oss']> {
  const now = new Date()
  const firstMonth = now.getUTCMonth() - (now.getUTCMonth() % 3)
  const dayOf = (month: number, day: number): string =>
    new Date(Date.UTC(now.getUTCFullYear(), month, day)).toISOString().slice(0, 10)
  const quarter = `${now.getUTCFullYear()}-Q${firstMonth / 3 + 1}`
  const { text } = await untilAnswered(operator, 'GET', `/v1/books/oss?quarter=${quarter}`)
  return {
    from: dayOf(firstMonth, 1),
    until: dayOf(firstMonth + 3, 0),
    states: rowsIn(text).map((row) => ({
      country: row('member_state_of_consumption'),
      grossMinor: minor(row('taxable_amount')) + minor(row('vat_amount')),
    })),
  }
}

const minor = (amount: string): number => Math.round(Number(amount) * 100)

/** The lines of a CSV file, each as a function of a column's name. */
function rowsIn(text: string): ((column: string) => string)[] {
  const [header = '', ...lines] = text.trim().split(/\r?\n/)
  const columns = header.split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return (column) => cells[columns.indexOf(column)] ?? ''
  })
}

/** What killed writers left is deleted by the time of the disk, which no run can be ahead of. */
async function ageUnfinished(folder: string, days: number): Promise<void> {
  for (const name of (await readdir(folder)).filter((each) => each.endsWith('.partial'))) {
    const path = join(folder, name)
    const at = new Date((await stat(path)).mtimeMs - days * dayMs)
    await utimes(path, at, at)
  }
}
