/** DATEV's format, against what DATEV publishes: developer.datev.de, DATEV-Format, "Header" and "Buchungsstapel". */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { datevHead, datevLine, windows1252 } from '../../shared/datev.ts'

/** ISO 8859-1 has the same letters; it differs from Windows-1252 in the bytes 0x80 to 0x9f alone. */
const textOf = (bytes: Buffer): string => bytes.toString('latin1')
const batch = {
  consultant: 29098,
  client: 55003,
  accountLength: 4,
  fiscalYearStart: '2024-01-01',
  from: '2024-01-01',
  to: '2024-08-31',
  currency: 'EUR',
  createdAt: new Date('2024-01-30T14:04:40.439Z'),
}
const posting = {
  grossMinor: 123_456,
  currency: 'EUR',
  account: '1360',
  contraAccount: '8400',
  taxKey: undefined,
  documentDay: '2024-08-05',
  documentNumber: 'AMA-2024-000001',
  text: 'Germany, 1 GB',
  place: undefined,
}
const cellsOf = (given: Partial<Parameters<typeof datevLine>[0]>): string[] =>
  textOf(datevLine({ ...posting, ...given })).split(';')

test('the head of a DATEV batch has the fields and columns that DATEV publishes', () => {
  const [header, columns, rest] = textOf(datevHead(batch)).split('\r\n')
  expect(header).toBe(
    '"EXTF";700;21;"Buchungsstapel";13;20240130140440439;;"RE";"";"";29098;55003;20240101;4;20240101;20240831;' +
      '"Rechnungen und Gutschriften";"";1;0;0;"EUR";;"";;;"";;;"";""',
  )
  expect(header?.split(';')).toHaveLength(31)
  const names = columns?.split(';') ?? []
  // The numbers that DATEV gives its columns.
  expect([names.length, names[9], names[13], names[39], names[113], names[124]]).toEqual([
    125,
    'Belegdatum',
    'Buchungstext',
    'EU-Land u. UStID (Bestimmung)',
    'Festschreibung',
    'Abw. Skontokonto',
  ])
  // All names, a second time: a change of one has to be meant.
  expect(
    createHash('sha256')
      .update(columns ?? '', 'latin1')
      .digest('hex')
      .slice(0, 16),
  ).toBe('a4c23ec4e0bf463d')
  expect(rest).toBe('')
})

test('a posting for DATEV has an amount with a comma and no sign, and says the side in a column of its own', () => {
  const invoice = cellsOf({})
  expect(invoice).toHaveLength(125)
  expect(invoice.slice(0, 14)).toEqual([
    ...[
      '1234,56',
      '"S"',
      '"EUR"',
      '',
      '',
      '""',
      '1360',
      '8400',
      '""',
      '0508',
      '"AMA-2024-000001"',
      '""',
      '',
      '"Germany, 1 GB"',
    ],
  ])
  expect(cellsOf({ grossMinor: 0 }).slice(0, 2)).toEqual(['0,00', '"S"'])
  expect(cellsOf({ grossMinor: -5 }).slice(0, 2)).toEqual(['0,05', '"H"'])
  expect(cellsOf({ grossMinor: 500, currency: 'JPY' }).slice(0, 3)).toEqual(['500,00', '"S"', '"JPY"'])
  const abroad = cellsOf({ taxKey: '240', place: { country: 'FI', rateBps: 2550 } })
  expect([abroad[8], abroad[39], abroad[40]]).toEqual(['"0240"', '"FI"', '25,50'])
})

/** By the numbers of DATEV's columns, from 1: those whose content DATEV describes as a text. */
const textColumns = [
  ...[2, 3, 6, 9, 11, 12, 14, 16],
  ...Array.from({ length: 19 }, (_, index) => 20 + index),
  ...[40, 42],
  ...Array.from({ length: 40 }, (_, index) => 48 + index),
  ...[91, 95, 96, 98, 102, 103, 105, 107, 109, 110, 112, 118, 120, 121, 123],
]

test('each text of a posting for DATEV is in quotation marks, also an empty one, and nothing else is', () => {
  for (const place of [undefined, { country: 'FI', rateBps: 2550 }]) {
    const cells = cellsOf({ taxKey: place && '240', place }).map((cell) => cell.trim())
    const quoted = cells.flatMap((cell, index) => (/^".*"$/.test(cell) ? [index + 1] : []))
    expect(quoted).toEqual(textColumns)
  }
})

test('texts for DATEV are quoted, cut, on one line and in Windows-1252', () => {
  const [text] = cellsOf({ text: `Österreich "5 GB"\n€ ${'x'.repeat(60)}` }).slice(13)
  expect(text).toBe(`"Österreich ""5 GB"" \u0080 ${'x'.repeat(38)}"`)
  // A pair of marks is not cut in two.
  expect(cellsOf({ text: `${'x'.repeat(59)}"5 GB"` })[13]).toBe(`"${'x'.repeat(59)}"`)
  expect(cellsOf({ text: 'a\r\n\tb' })[13]).toBe('"a b"')
  // The edges of what both code pages share, and a byte that means nothing.
  expect([...windows1252('\u007f\u0080\u00a0ÿ\u0100\u0081')]).toEqual([0x7f, 0x3f, 0xa0, 0xff, 0x3f, 0x3f])
  expect([...windows1252('Aä€–œ\u0085漢😀')]).toEqual([0x41, 0xe4, 0x80, 0x96, 0x9c, 0x3f, 0x3f, 0x3f])
  expect(textOf(datevLine(posting)).endsWith('\r\n')).toBe(true)
})

test('the text of a posting is no formula for a spreadsheet in which the file is opened', () => {
  expect(cellsOf({ text: '=HYPERLINK("https://evil.example")' })[13]).toBe(`"'=HYPERLINK(""https://evil.example"")"`)
  expect(cellsOf({ text: '\n+1' })[13]).toBe(`"' +1"`)
})
