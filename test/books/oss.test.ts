/**
 * U6: accounting and tax duties are met. Each invoice and credit note is in exactly one file of the One Stop Shop,
 * whenever it was issued.
 */
import { expect, test } from 'vitest'
import { restoreDocument } from '../../db/order/restored-documents.ts'
import { ossLines } from '../../db/order/tax-books.ts'
import { shareStack } from '../harness/harness.ts'

const harness = await shareStack({ books: false })
const { sql } = harness.context

/** An invoice of 12.00 to France, or its credit note. */
const plant = (number: string, suppliedOn: string, issuedOn: string, corrects: string | null = null) =>
  sql.begin((tx) =>
    restoreDocument(tx, {
      number,
      kind: corrects === null ? 'invoice' : 'credit_note',
      documentKey: 'invoice',
      corrects,
      orderId: null,
      packageName: 'France 1 GB',
      destination: 'FR',
      quantity: 1,
      grossMinor: 1_200,
      currency: 'EUR',
      seller: 'AMA',
      taxRateBps: 2_000,
      paymentKind: 'card',
      issuedOn,
      suppliedOn,
      vat: {
        vat_country: 'FR',
        vat_scope: 'member_state',
        vat_evidence: 'two_pieces',
        vat_card_country: 'FR',
        vat_ip_country: 'FR',
      },
    }),
  )

test('an invoice that is issued after the period of its supply is a correction in the file of its own period', async () => {
  await plant('OLD-2001-000001', '2001-12-30', '2001-12-30')
  const sent = await ossLines(sql, '2001-10-01', '2002-01-01')
  // A restore has lost it, and issues it after the file was sent.
  await plant('OLD-2002-R1-000001', '2001-12-31', '2002-01-02')
  await plant('OLD-2002-000001', '2002-01-15', '2002-01-15')
  expect(await ossLines(sql, '2001-10-01', '2002-01-01')).toEqual(sent)
  const line = { country: 'FR', rateBps: 2_000, netMinor: 1_000n, taxMinor: 200n, currency: 'EUR' }
  expect(sent).toEqual([{ ...line, correctedMonth: null }])
  expect(await ossLines(sql, '2002-01-01', '2002-04-01')).toEqual([
    { ...line, correctedMonth: null },
    { ...line, correctedMonth: '2001-12' },
  ])
})

test('an invoice that is issued in a later month of the quarter of its supply is a supply of the quarter', async () => {
  await plant('OLD-2003-R1-000001', '2003-01-31', '2003-02-02')
  expect(await ossLines(sql, '2003-01-01', '2003-04-01')).toMatchObject([{ netMinor: 1_000n, correctedMonth: null }])
  expect(await ossLines(sql, '2003-01-01', '2003-02-01')).toEqual([])
  expect(await ossLines(sql, '2003-02-01', '2003-03-01')).toMatchObject([{ correctedMonth: '2003-01' }])
})

test('what was credited in full is no line in the file of its period, and a correction that another one undoes is none either', async () => {
  await plant('OLD-2004-000001', '2004-01-10', '2004-01-10')
  await plant('OLD-2004-000002', '2004-01-10', '2004-02-10', 'OLD-2004-000001')
  await plant('OLD-2004-R1-000001', '2003-12-31', '2004-03-01')
  await plant('OLD-2004-000003', '2003-12-31', '2004-03-02', 'OLD-2004-R1-000001')
  const linesOf = async (period: string): Promise<string[]> =>
    (await harness.operator.get(`/v1/books/oss?${period}`)).text.trimEnd().split('\r\n').slice(1)
  expect(await linesOf('quarter=2004-Q1')).toEqual([])
  expect(await linesOf('month=2004-01')).toEqual(['2004-01,supply,FR,services,20.00,10.00,2.00,,EUR'])
  expect(await linesOf('month=2004-02')).toEqual(['2004-02,correction,FR,,,,-2.00,2004-01,EUR'])
})
