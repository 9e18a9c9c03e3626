/** U6, accounting and tax duties are met: the journal in the form of DATEV, for the tax adviser (docs/vat.md). */
import { z } from 'zod'
import type { Config } from '../../../../config.ts'
import type { ApiContext } from '../../../../context.ts'
import { type JournalRow, journalKinds, journalPages } from '../../../../db/order/tax-books.ts'
import { vatCountryCode } from '../../../../policy/vat-rates.ts'
import { type DatevPosting, datevHead, datevLine, mostPostings } from '../../../../shared/datev.ts'
import { Problem } from '../../../http/problem.ts'
import { defineRoute, type Route } from '../../../http/route.ts'
import { sentDay } from '../../../http/storable.ts'
import { attachment } from './tax-books.ts'

const refuse = (field: string, reason: string) => new Problem('invalid_request', { errors: [{ field, reason }] })

export function datevRoutes({ sql, config }: ApiContext): Route[] {
  async function* postings(from: string, to: string, head: Buffer, toPosting: (row: JournalRow) => DatevPosting) {
    yield head
    for await (const page of journalPages(sql, from, to))
      yield Buffer.concat(page.map((row) => datevLine(toPosting(row))))
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/books/datev',
      tag: 'books',
      summary: 'All invoices and credit notes that were issued in a time, as DATEV takes them',
      description:
        'A batch of postings ("Buchungsstapel", format version 13) in Windows-1252. The days lie in one fiscal year.',
      promises: ['U6'],
      callers: ['operator'],
      query: z.strictObject({ from: sentDay, to: sentDay.describe('the last day') }),
      responses: {
        200: { description: 'The batch, streamed', contentType: 'text/csv; charset=windows-1252' },
      },
      async handle({ query: { from, to } }) {
        const { consultant, client, clearing, accounts } = settingsOf(config)
        if (to < from) throw refuse('to', 'is before `from`')
        const fiscalYearStart = startOfFiscalYear(from, config.DATEV_FISCAL_YEAR_START)
        if (startOfFiscalYear(to, config.DATEV_FISCAL_YEAR_START) !== fiscalYearStart)
          throw refuse('to', 'lies in another fiscal year than `from`')
        const kinds = await journalKinds(sql, from, to)
        const documents = kinds.reduce((sum, { count }) => sum + count, 0)
        if (documents > mostPostings)
          throw refuse('to', `there are ${documents} documents, DATEV takes ${mostPostings}`)
        const missing = kinds.find(({ scope, rateBps }) => accountOf(accounts, scope, rateBps) === undefined)
        if (missing) throw refuse('from', `DATEV_REVENUE_ACCOUNTS has none for ${missing.scope}:${missing.rateBps}`)

        const head = datevHead({
          consultant,
          client,
          accountLength: config.DATEV_ACCOUNT_LENGTH,
          fiscalYearStart,
          from,
          to,
          currency: config.SHOP_CURRENCY,
          createdAt: new Date(),
        })
        const toPosting = (row: JournalRow): DatevPosting => ({
          grossMinor: row.gross_minor,
          currency: row.currency,
          account: clearing,
          contraAccount: accountOf(accounts, row.vat_scope, row.tax_rate_bps) ?? '',
          taxKey: accountOf(config.DATEV_TAX_KEYS, row.vat_scope, row.tax_rate_bps),
          documentDay: row.issued_on,
          documentNumber: row.number,
          text: row.corrects ? `${row.corrects} ${row.description}` : row.description,
          place:
            row.vat_scope === 'member_state' && row.vat_country
              ? { country: vatCountryCode(row.vat_country), rateBps: row.tax_rate_bps }
              : undefined,
        })
        const raw = postings(from, to, head, toPosting)
        return { status: 200, headers: attachment(`EXTF_Buchungsstapel_${from}_${to}.csv`), raw }
      },
    }),
  ]
}

function settingsOf(config: Config) {
  const { DATEV_CONSULTANT: consultant, DATEV_CLIENT: client } = config
  const { DATEV_CLEARING_ACCOUNT: clearing, DATEV_REVENUE_ACCOUNTS: accounts } = config
  if (!consultant || !client || !clearing || !accounts) throw refuse('from', 'the settings DATEV_* are missing')
  return { consultant, client, clearing, accounts }
}

/** The entry of a scope and rate, else of the scope. */
const accountOf = (entries: ReadonlyMap<string, string> | undefined, scope: string, rateBps: number) =>
  entries?.get(`${scope}:${rateBps}`) ?? entries?.get(scope)

/** @param start MM-DD. @returns the first day (YYYY-MM-DD) of the fiscal year of a day */
function startOfFiscalYear(date: string, start: string): string {
  const year = Number(date.slice(0, 4))
  return `${String(date.slice(5) < start ? year - 1 : year).padStart(4, '0')}-${start}`
}
