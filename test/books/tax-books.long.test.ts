/**
 * U6: accounting and tax duties are met. Orders are taxed where the buyer lives, and the files for tax add up to the
 * invoices and credit notes.
 */
import { expect, test } from 'vitest'
import { decideVat, evidenceOf, type VatRules } from '../../policy/vat.ts'
import { memberStates, standardRateBps } from '../../policy/vat-rates.ts'
import { csvLine, decimal } from '../../shared/csv.ts'
import { openHarness } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { testPackages, testPriceMinor } from '../harness/test-packages.ts'
import { visit } from '../harness/visits.ts'

const harness = await openHarness({
  settings: {
    VAT_BY: 'buyer_country',
    SELLER_COUNTRY: 'XK',
    COUNTRY_HEADER: 'cf-ipcountry',
    DATEV_CONSULTANT: '29098',
    DATEV_CLIENT: '55003',
    DATEV_CLEARING_ACCOUNT: '1360',
    DATEV_REVENUE_ACCOUNTS: 'domestic=8400,member_state=8320,member_state:2700=8327,outside_eu=8338',
    DATEV_TAX_KEYS: 'member_state=240',
  },
})
const { sql } = harness.stack.context
const today = new Date().toISOString().slice(0, 10)
const quarter = `${today.slice(0, 4)}-Q${Math.ceil(Number(today.slice(5, 7)) / 3)}`

interface Document {
  kind: string
  net_minor: number
  tax_minor: number
  gross_minor: number
  tax_rate_bps: number
  vat_country: string | null
  vat_scope: string
  vat_evidence: string
  vat_card_country: string | null
  vat_ip_country: string | null
}

const documentsOf = (orderId: string) => sql<Document[]>`
  select i.* from invoices i join invoice_links l on l.number = i.number where l.order_id = ${orderId} order by i.kind desc`

/** An order of a person whose card and IP address are of these countries. */
async function bought(card: string | null, ip: string | null): Promise<{ id: string }> {
  const person = await harness.signUp()
  const headers = { 'cf-ipcountry': ip }
  return harness.buy(person, { packageCode: testPackages.onlyEsimAccess, pay: { country: card }, headers })
}

const csvOf = async (path: string): Promise<Record<string, string>[]> => {
  const answer = await harness.operator.get(path)
  expectStatus(answer, 200)
  expect(answer.headers.get('content-type')).toContain('text/csv')
  const [header = '', ...lines] = answer.text.trimEnd().split('\r\n')
  const names = header.split(',')
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, index) => [names[index] ?? '', cell])))
}
const cents = (amount = ''): number => (amount === '' ? 0 : Math.round(Number(amount) * 100))
const total = (rows: Record<string, string>[], name: string) => rows.reduce((sum, row) => sum + cents(row[name]), 0)

test.each([
  ['FR', 'FR', 'FR', 2000, 'member_state', 'two_pieces'],
  ['FR', 'IT', 'FR', 2000, 'member_state', 'contradictory'],
  ['GR', null, 'GR', 2400, 'member_state', 'one_of_two_missing'],
  ['FI', 'T1', 'FI', 2550, 'member_state', 'one_of_two_missing'],
  [null, 'es', 'ES', 2100, 'member_state', 'one_of_two_missing'],
  ['MC', 'FR', 'FR', 2000, 'member_state', 'two_pieces'],
  ['US', 'US', 'US', 0, 'outside_eu', 'two_pieces'],
  ['XK', 'XK', 'XK', 1800, 'domestic', 'two_pieces'],
  [null, null, 'XK', 1800, 'domestic', 'none'],
] as const)('U6: card %s and IP address %s: taxed in %s', async (card, ip, country, rate, scope, evidence) => {
  const { id } = await bought(card, ip)
  const [invoice] = await documentsOf(id)
  expect(invoice).toMatchObject({ vat_country: country, tax_rate_bps: rate, vat_scope: scope, vat_evidence: evidence })
  // The price includes the tax, and stays.
  expect(invoice?.gross_minor).toBe(testPriceMinor)
  expect(invoice?.tax_minor).toBe(Math.round((testPriceMinor * rate) / (10_000 + rate)))
})

test('the address of the app backend is no evidence, and operators get one task a month', async () => {
  const { accountId } = await harness.signUp()
  const headers = { 'cf-ipcountry': 'FR' }
  const order = await harness.buy({ accountId }, { packageCode: testPackages.onlyEsimAccess, headers })
  const [invoice] = await documentsOf(order.id)
  expect(invoice).toMatchObject({ vat_card_country: 'DE', vat_ip_country: null, vat_evidence: 'one_of_two_missing' })
  const tasks = await sql`select subject_id from attention where kind = 'vat_evidence_incomplete'`
  expect(tasks.map(({ subject_id }) => subject_id)).toEqual([today.slice(0, 7)])
})

test('U6: a top-up that is ordered on the web has the country of the IP address as well', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, pay: { country: 'FR' } })
  const surfer = await visit(harness.stack, person)
  const path = `/account/esims/${order.esims[0].id}/top-up`
  const { location } = await surfer.submit(path, path, {}, { 'cf-ipcountry': 'IT' })
  const [row] = await sql`select ip_country from orders where id = ${location?.split('/').at(-1) ?? ''}`
  expect(row?.ip_country).toBe('IT')
})

test('the file of the One Stop Shop and the journal add up to the invoices and credit notes', async () => {
  const [corrected, reduced] = [await bought('PL', 'PL'), await bought('PL', 'PL')]
  await bought('HU', 'HU')
  // Supplied two quarters ago, as far as the books know.
  await sql`update invoices set supplied_on = supplied_on - 200, issued_on = issued_on - 200
    where number = (select number from invoice_links where order_id = ${corrected.id} and document_key = 'invoice')`
  const part = { amount: { minor: 123, currency: 'EUR' } }
  for (const { id } of [corrected, reduced])
    expectStatus(await harness.operator.post(`/v1/orders/${id}/refund`, part), 200)
  const notes = (await documentsOf(corrected.id)).filter(({ kind }) => kind === 'credit_note')
  expect(notes).toMatchObject([{ vat_country: 'PL', vat_scope: 'member_state', tax_rate_bps: 2300, gross_minor: -123 }])

  const oss = await csvOf(`/v1/books/oss?quarter=${quarter}`)
  const supplies = oss.filter(({ kind }) => kind === 'supply')
  const corrections = oss.filter(({ kind }) => kind === 'correction')
  expect(corrections).toMatchObject([{ member_state_of_consumption: 'PL', taxable_amount: '' }])
  expect(corrections[0]?.corrected_period).not.toBe(quarter)
  expect(cents(corrections[0]?.vat_amount ?? '') + total(corrections, 'vat_amount')).toBe(
    2 * (notes[0]?.tax_minor ?? 0),
  )
  expect(supplies.map((row) => row.member_state_of_consumption)).toContain('EL')
  expect(supplies.map((row) => row.member_state_of_consumption)).not.toContain('US')
  const [sums] = await sql<{ net: number; tax: number }[]>`
    select sum(net_minor)::int as net, sum(tax_minor)::int as tax from invoices
    where vat_scope = 'member_state' and supplied_on >= ${today}::date - 5`
  expect({ net: total(supplies, 'taxable_amount'), tax: total(supplies, 'vat_amount') }).toEqual(sums)
  const [polish] = supplies.filter((row) => row.member_state_of_consumption === 'PL')
  expect(cents(polish?.taxable_amount) + cents(polish?.vat_amount)).toBe(testPriceMinor - 123)

  const journal = await csvOf(`/v1/books/journal?from=2020-01-01&to=${today}`)
  const [all] = await sql<{ documents: number; gross: number; tax: number }[]>`
    select count(*)::int as documents, sum(gross_minor)::int as gross, sum(tax_minor)::int as tax from invoices`
  expect({ documents: journal.length, gross: total(journal, 'gross'), tax: total(journal, 'tax') }).toEqual(all)
  expect(JSON.stringify(journal)).not.toContain(corrected.id)
})

test('U6: the batch for DATEV has each document with its amount, side, account, tax key and member state', async () => {
  const [polish, hungarian, american] = [await bought('PL', 'PL'), await bought('HU', 'HU'), await bought('US', 'US')]
  const part = { amount: { minor: 123, currency: 'EUR' } }
  expectStatus(await harness.operator.post(`/v1/orders/${polish.id}/refund`, part), 200)
  const answer = await harness.operator.get(`/v1/books/datev?from=${today}&to=${today}`)
  expectStatus(answer, 200)
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=windows-1252')
  expect(answer.headers.get('content-disposition')).toContain(`EXTF_Buchungsstapel_${today}_${today}.csv`)

  const [head = '', , ...lines] = answer.text.trimEnd().split('\r\n')
  const compact = today.replaceAll('-', '')
  expect(head.split(';').slice(10, 16)).toEqual(['29098', '55003', `${today.slice(0, 4)}0101`, '4', compact, compact])
  // By the numbers of DATEV's columns, since this answer is not in UTF-8.
  const postings = lines.map((line) => {
    const cells = line.split(';').map((cell) => cell.replaceAll('"', ''))
    const [amount, side, number] = [cells[0]?.replace(',', '.'), cells[1], cells[10]]
    const taxed = [cells[6], cells[7], cells[8], cells[39], cells[40]]
    return { number, amount: side === 'S' ? cents(amount) : -cents(amount), taxed }
  })
  const [all] = await sql<{ documents: number; gross: number }[]>`
    select count(*)::int as documents, sum(gross_minor)::int as gross from invoices where issued_on = ${today}::date`
  expect({ documents: postings.length, gross: postings.reduce((sum, { amount }) => sum + amount, 0) }).toEqual(all)

  const postingsOf = async ({ id }: { id: string }) => {
    const numbers = await sql<{ number: string }[]>`select number from invoice_links where order_id = ${id}`
    return postings
      .filter((posting) => numbers.some(({ number }) => number === posting.number))
      .map(({ amount, taxed }) => [amount, ...taxed])
      .sort(([a], [b]) => Number(b) - Number(a))
  }
  expect(await postingsOf(polish)).toEqual([
    [testPriceMinor, '1360', '8320', '0240', 'PL', '23,00'],
    [-123, '1360', '8320', '0240', 'PL', '23,00'],
  ])
  expect(await postingsOf(hungarian)).toEqual([[testPriceMinor, '1360', '8327', '0240', 'HU', '27,00']])
  expect(await postingsOf(american)).toEqual([[testPriceMinor, '1360', '8338', '', '', '']])
  expect(answer.text).not.toContain(polish.id)

  for (const query of ['from=2025-12-31&to=2026-01-01', 'from=2026-02-01&to=2026-01-01', 'from=2026-02-01'])
    expect((await harness.operator.get(`/v1/books/datev?${query}`)).status, query).toBe(400)
})

test('a journal of several pages has every document once', async () => {
  await sql`insert into invoices (number, series, sequence, kind, issued_on, supplied_on, seller, description,
      destination, quantity, net_minor, tax_minor, gross_minor, tax_rate_bps, currency, payment_kind)
    select 'JOURNAL-' || n, 'JOURNAL', n, 'invoice', date '2019-01-01' + n % 3, '2019-01-01', 'x', '=cmd, "x"', 'DE', 1,
      100, 19, 119, 1900, 'EUR', 'card' from generate_series(1, 2500) n`
  await sql`insert into counters (series, last) values ('JOURNAL', 2500)`
  const { text } = await harness.operator.get('/v1/books/journal?from=2019-01-01&to=2019-01-03')
  const lines = text.trimEnd().split('\r\n')
  expect(lines).toHaveLength(2_501)
  expect(new Set(lines).size).toBe(2_501)
  expect(lines[1]).toContain(`"'=cmd, ""x"""`)
})

test('only operators get the files for tax, of a period that exists', async () => {
  const person = await harness.signUp()
  const time = `from=${today}&to=${today}`
  for (const path of [`/v1/books/oss?quarter=${quarter}`, `/v1/books/journal?${time}`, `/v1/books/datev?${time}`]) {
    expect((await person.caller.get(path)).status).toBe(403)
    expect((await harness.service.get(path)).status).toBe(403)
  }
  for (const query of ['oss', 'oss?quarter=2026-Q5', 'oss?month=2026-13', 'oss?month=2026-11&quarter=2026-Q4'])
    expect((await harness.operator.get(`/v1/books/${query}`)).status, query).toBe(400)
  for (const query of ['', '?from=2026-01-01', '?from=2026-02-01&to=2026-01-01', '?from=2026-02-30&to=2026-03-01'])
    expect((await harness.operator.get(`/v1/books/journal${query}`)).status, query).toBe(400)
  expect(await csvOf('/v1/books/oss?month=2019-06')).toEqual([])
})

const rules: VatRules = { by: 'buyer_country', sellerCountry: 'DE', sellerRateBps: 1800, onePieceSuffices: true }

test('one piece of evidence of the buyer’s country is enough for a small seller of a member state alone, and a sale at home has the rate of the table', () => {
  const card = { card: 'AT', ip: null }
  expect(decideVat(rules, card, '2026-11-29')).toMatchObject({ evidence: 'one_piece', rateBps: 2000 })
  expect(decideVat(rules, { card: null, ip: 'AT' }, '2026-11-29').evidence).toBe('one_of_two_missing')
  expect(decideVat({ ...rules, sellerCountry: 'XK' }, card, '2026-11-29').evidence).toBe('one_of_two_missing')
  expect(decideVat(rules, { card: 'DE', ip: 'DE' }, '2026-11-29')).toMatchObject({ scope: 'domestic', rateBps: 1900 })
  const before = decideVat({ ...rules, by: 'seller_country' }, card, '2026-11-29')
  expect(before).toEqual({ country: 'DE', scope: 'domestic', rateBps: 1800, evidence: 'not_asked' })
})

test('tax rates change on their day, and each member state has one', () => {
  expect([standardRateBps('EE', '2025-06-30'), standardRateBps('EE', '2025-07-01')]).toEqual([2200, 2400])
  expect([standardRateBps('RO', '2025-07-31'), standardRateBps('RO', '2025-08-01')]).toEqual([1900, 2100])
  expect(memberStates).toHaveLength(27)
  for (const country of memberStates) expect(standardRateBps(country, today)).toBeGreaterThanOrEqual(1500)
  expect(standardRateBps('GB', today)).toBeUndefined()
})

test('texts in CSV files are quoted and run as no formula, and amounts are exact', () => {
  expect(csvLine(['a,b', '=1', '-1.50', '-x', null, 7])).toBe(`"a,b",'=1,-1.50,'-x,,7\r\n`)
  expect([decimal(1, 2), decimal(-1234n, 2), decimal(990, 0), decimal(5, 3)]).toEqual([
    '0.01',
    '-12.34',
    '990',
    '0.005',
  ])
  expect([evidenceOf('XX'), evidenceOf('T1'), evidenceOf(' fr '), evidenceOf(undefined)]).toEqual([
    null,
    null,
    'FR',
    null,
  ])
})
