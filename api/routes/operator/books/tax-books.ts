/**
 * U6, accounting and tax duties are met: the journal of all documents, and the One Stop Shop's turnover by member state
 * (docs/vat.md).
 */
import { z } from 'zod'
import type { ApiContext } from '../../../../context.ts'
import { type JournalRow, journalPages, type OssLine, ossLines } from '../../../../db/order/tax-books.ts'
import { minorDigits } from '../../../../policy/currency.ts'
import { vatCountryCode } from '../../../../policy/vat-rates.ts'
import { dayOf } from '../../../../shared/calendar.ts'
import { csvLine, decimal } from '../../../../shared/csv.ts'
import { Problem } from '../../../http/problem.ts'
import { defineRoute, type Route } from '../../../http/route.ts'
import { sentDay } from '../../../http/storable.ts'

const quarter = z.string().regex(/^20\d\d-Q[1-4]$/, 'must be YYYY-Qn')
const month = z.string().regex(/^20\d\d-(0[1-9]|1[0-2])$/, 'must be YYYY-MM')
const csv = { contentType: 'text/csv' } as const
const percent = (bps: number): string => decimal(bps, 2)

/** The first day of a period, and the first day after it. */
function boundsOf(year: number, firstMonth: number, months: number): [from: string, before: string] {
  const firstOf = (month: number): string => dayOf(new Date(Date.UTC(year, month, 1)))
  return [firstOf(firstMonth), firstOf(firstMonth + months)]
}

function periodOf(query: { quarter?: string | undefined; month?: string | undefined }) {
  const { quarter: q, month: m } = query
  if ((q === undefined) === (m === undefined)) {
    const errors = [{ field: 'quarter', reason: 'say either a quarter or a month' }]
    throw new Problem('invalid_request', { errors })
  }
  const name = q ?? m ?? ''
  const year = Number(name.slice(0, 4))
  const [from, before] = q
    ? boundsOf(year, (Number(name.slice(6)) - 1) * 3, 3)
    : boundsOf(year, Number(name.slice(5)) - 1, 1)
  return { name, from, before }
}

const quarterOf = (yearAndMonth: string): string =>
  `${yearAndMonth.slice(0, 4)}-Q${Math.ceil(Number(yearAndMonth.slice(5)) / 3)}`

/**
 * In a quarter's file the corrections of the months of one quarter are one line, as the return has them. The return takes
 * no zeros: what was credited in the period of its supply is no line.
 */
function ossRows(lines: readonly OssLine[], period: string): string[] {
  const correctedPeriod = (yearAndMonth: string) => (period.includes('Q') ? quarterOf(yearAndMonth) : yearAndMonth)
  const corrections = new Map<string, { line: OssLine; tax: bigint }>()
  const rows = [csvLine(ossHeader)]
  for (const line of lines) {
    const digits = minorDigits(line.currency)
    if (line.correctedMonth === null) {
      if (line.netMinor === 0n && line.taxMinor === 0n) continue
      const amounts = [decimal(line.netMinor, digits), decimal(line.taxMinor, digits)] as const
      const place = vatCountryCode(line.country)
      rows.push(csvLine([period, 'supply', place, 'services', percent(line.rateBps), ...amounts, null, line.currency]))
      continue
    }
    const key = [correctedPeriod(line.correctedMonth), line.country, line.currency].join()
    const known = corrections.get(key)
    corrections.set(key, { line, tax: (known?.tax ?? 0n) + line.taxMinor })
  }
  for (const { line, tax } of corrections.values()) {
    if (tax === 0n) continue
    const corrected = correctedPeriod(line.correctedMonth ?? '')
    const amount = decimal(tax, minorDigits(line.currency))
    const place = vatCountryCode(line.country)
    rows.push(csvLine([period, 'correction', place, null, null, null, amount, corrected, line.currency]))
  }
  return rows
}

const ossHeader = [
  'period',
  'kind',
  'member_state_of_consumption',
  'supply_type',
  'rate_percent',
  'taxable_amount',
  'vat_amount',
  'corrected_period',
  'currency',
]

const journalHeader = [
  'issued_on',
  'supplied_on',
  'number',
  'kind',
  'corrects',
  'net',
  'tax',
  'gross',
  'currency',
  'rate_percent',
  'vat_country',
  'vat_scope',
  'vat_evidence',
  'card_country',
  'ip_country',
  'payment_kind',
  'description',
]

function journalLine(row: JournalRow): string {
  const digits = minorDigits(row.currency)
  return csvLine([
    row.issued_on,
    row.supplied_on,
    row.number,
    row.kind,
    row.corrects,
    decimal(row.net_minor, digits),
    decimal(row.tax_minor, digits),
    decimal(row.gross_minor, digits),
    row.currency,
    percent(row.tax_rate_bps),
    row.vat_country,
    row.vat_scope,
    row.vat_evidence,
    row.vat_card_country,
    row.vat_ip_country,
    row.payment_kind,
    row.description,
  ])
}

export function taxBooksRoutes({ sql }: ApiContext): Route[] {
  async function* journal(from: string, to: string): AsyncGenerator<string> {
    yield csvLine(journalHeader)
    for await (const page of journalPages(sql, from, to)) yield page.map(journalLine).join('')
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/books/oss',
      tag: 'books',
      summary: 'Turnover by member state of consumption, for the One Stop Shop return',
      description:
        'Supplies of the period with the credit notes about them, then corrections of earlier periods. Amounts are in the currency of the documents.',
      promises: ['U6'],
      callers: ['operator'],
      query: z.strictObject({ quarter: quarter.optional(), month: month.optional() }),
      responses: { 200: { description: 'Lines of CSV', ...csv } },
      async handle({ query }) {
        const { name, from, before } = periodOf(query)
        const raw = ossRows(await ossLines(sql, from, before), name).join('')
        return { status: 200, headers: attachment(`oss-${name}.csv`), raw }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/books/journal',
      tag: 'books',
      summary: 'All invoices and credit notes that were issued in a time',
      promises: ['U6'],
      callers: ['operator'],
      query: z.strictObject({
        from: sentDay,
        to: sentDay.describe('the last day'),
        format: z.enum(['csv']).default('csv'),
      }),
      responses: { 200: { description: 'Lines of CSV, streamed', ...csv } },
      handle({ query: { from, to } }) {
        if (to < from) throw new Problem('invalid_request', { errors: [{ field: 'to', reason: 'is before `from`' }] })
        return { status: 200, headers: attachment(`journal-${from}-${to}.csv`), raw: journal(from, to) }
      },
    }),
  ]
}

/** The headers of an answer that browsers save as a file. @param name without quotes */
export const attachment = (name: string) => ({ 'Content-Disposition': `attachment; filename="${name}"` })
