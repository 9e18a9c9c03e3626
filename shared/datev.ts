/**
 * DATEV's format for postings ("Buchungsstapel", format version 13, header version 700): developer.datev.de,
 * DATEV-Format, pages "Einstieg", "Header" and "Buchungsstapel". Cells end with a semicolon, lines with CR LF, texts
 * are in quotation marks, amounts have a comma and no sign, and the file is in Windows-1252.
 */
import { minorDigits } from '../policy/currency.ts'
import { decimal, noFormula } from './csv.ts'

export interface DatevBatch {
  /** the tax adviser's number and the client's number there */
  consultant: number
  client: number
  accountLength: number
  /** YYYY-MM-DD: the first day of the fiscal year in which both days lie, since a posting's date has no year */
  fiscalYearStart: string
  from: string
  to: string
  currency: string
  createdAt: Date
}

export interface DatevPosting {
  /** negative for a credit note */
  grossMinor: bigint | number
  currency: string
  account: string
  contraAccount: string
  taxKey: string | undefined
  /** YYYY-MM-DD */
  documentDay: string
  documentNumber: string
  text: string
  /** for supplies that are taxed in another member state */
  place: { country: string; rateBps: number } | undefined
}

/** The most postings that DATEV takes in one file. */
export const mostPostings = 99_999

const pairs = (kind: string, content: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => [`${kind} ${index + 1}`, `${content} ${index + 1}`]).flat()

const columns = [
  'Umsatz (ohne Soll/Haben-Kz)',
  'Soll/Haben-Kennzeichen',
  'WKZ Umsatz',
  'Kurs',
  'Basis-Umsatz',
  'WKZ Basis-Umsatz',
  'Konto',
  'Gegenkonto (ohne BU-Schlüssel)',
  'BU-Schlüssel',
  'Belegdatum',
  'Belegfeld 1',
  'Belegfeld 2',
  'Skonto',
  'Buchungstext',
  'Postensperre',
  'Diverse Adressnummer',
  'Geschäftspartnerbank',
  'Sachverhalt',
  'Zinssperre',
  'Beleglink',
  ...pairs('Beleginfo - Art', 'Beleginfo - Inhalt', 8),
  'KOST1 - Kostenstelle',
  'KOST2 - Kostenstelle',
  'Kost-Menge',
  'EU-Land u. UStID (Bestimmung)',
  'EU-Steuersatz (Bestimmung)',
  'Abw. Versteuerungsart',
  'Sachverhalt L+L',
  'Funktionsergänzung L+L',
  'BU 49 Hauptfunktionstyp',
  'BU 49 Hauptfunktionsnummer',
  'BU 49 Funktionsergänzung',
  ...pairs('Zusatzinformation - Art', 'Zusatzinformation- Inhalt', 20),
  'Stück',
  'Gewicht',
  'Zahlweise',
  'Forderungsart',
  'Veranlagungsjahr',
  'Zugeordnete Fälligkeit',
  'Skontotyp',
  'Auftragsnummer',
  'Buchungstyp',
  'USt-Schlüssel (Anzahlungen)',
  'EU-Land (Anzahlungen)',
  'Sachverhalt L+L (Anzahlungen)',
  'EU-Steuersatz (Anzahlungen)',
  'Erlöskonto (Anzahlungen)',
  'Herkunft-Kz',
  'Buchungs GUID',
  'KOST-Datum',
  'SEPA-Mandatsreferenz',
  'Skontosperre',
  'Gesellschaftername',
  'Beteiligtennummer',
  'Identifikationsnummer',
  'Zeichnernummer',
  'Postensperre bis',
  'Bezeichnung SoBil-Sachverhalt',
  'Kennzeichen SoBil-Buchung',
  'Festschreibung',
  'Leistungsdatum',
  'Datum Zuord. Steuerperiode',
  'Fälligkeit',
  'Generalumkehr (GU)',
  'Steuersatz',
  'Land',
  'Abrechnungsreferenz',
  'BVV-Position',
  'EU-Land u. UStID (Ursprung)',
  'EU-Steuersatz (Ursprung)',
  'Abw. Skontokonto',
]

/**
 * The columns that hold a text. DATEV refuses a text without quotation marks, also an empty one, and puts none around
 * amounts, accounts, rates and days.
 */
const texts: ReadonlySet<string> = new Set([
  'Soll/Haben-Kennzeichen',
  'WKZ Umsatz',
  'WKZ Basis-Umsatz',
  'BU-Schlüssel',
  'Belegfeld 1',
  'Belegfeld 2',
  'Buchungstext',
  'Diverse Adressnummer',
  'Beleglink',
  ...pairs('Beleginfo - Art', 'Beleginfo - Inhalt', 8),
  'KOST1 - Kostenstelle',
  'KOST2 - Kostenstelle',
  'EU-Land u. UStID (Bestimmung)',
  'Abw. Versteuerungsart',
  ...pairs('Zusatzinformation - Art', 'Zusatzinformation- Inhalt', 20),
  'Forderungsart',
  'Auftragsnummer',
  'Buchungstyp',
  'EU-Land (Anzahlungen)',
  'Herkunft-Kz',
  'Buchungs GUID',
  'SEPA-Mandatsreferenz',
  'Gesellschaftername',
  'Identifikationsnummer',
  'Zeichnernummer',
  'Bezeichnung SoBil-Sachverhalt',
  'Generalumkehr (GU)',
  'Land',
  'Abrechnungsreferenz',
  'EU-Land u. UStID (Ursprung)',
])

const line = (cells: readonly string[]): string => `${cells.join(';')}\r\n`
const day = (date: string): string => date.replaceAll('-', '')
const comma = (amount: string): string => amount.replace('.', ',')

/**
 * A text in quotation marks, without control characters and no formula, cut to what the field holds: DATEV counts the
 * characters as they are written.
 */
function quoted(text: string, length: number): string {
  const plain = Array.from(noFormula(text.replace(/\p{Cc}+/gu, ' ')), (each) => (each === '"' ? '""' : each))
  while (plain.reduce((sum, each) => sum + each.length, 0) > length) plain.pop()
  return `"${plain.join('')}"`
}

/** The first two lines: what the batch is, and the names of the columns. */
export function datevHead(batch: DatevBatch): Buffer {
  const { createdAt, consultant, client, accountLength, fiscalYearStart, from, to, currency } = batch
  const created = createdAt.toISOString().replace(/\D/g, '')
  const name = quoted('Rechnungen und Gutschriften', 30)
  const header = [
    ...['"EXTF"', '700', '21', '"Buchungsstapel"', '13', created, '', '"RE"', '""', '""'],
    ...[
      String(consultant),
      String(client),
      day(fiscalYearStart),
      String(accountLength),
      day(from),
      day(to),
      name,
      '""',
    ],
    // Kind: financial accounting; purpose: any; the batch stays open for the adviser.
    ...['1', '0', '0', quoted(currency, 3), '', '""', '', '', '""', '', '', '""', '""'],
  ]
  return windows1252(line(header) + line(columns))
}

/** One posting: the account is debited for an invoice and credited for a credit note. */
export function datevLine(posting: DatevPosting): Buffer {
  const { grossMinor, currency, account, contraAccount, taxKey, documentDay, documentNumber, text, place } = posting
  const amount = BigInt(grossMinor)
  const cells = new Map<string, string>([
    ['Umsatz (ohne Soll/Haben-Kz)', inHundredths(amount < 0n ? -amount : amount, currency)],
    ['Soll/Haben-Kennzeichen', amount < 0n ? '"H"' : '"S"'],
    ['WKZ Umsatz', quoted(currency, 3)],
    ['Konto', account],
    ['Gegenkonto (ohne BU-Schlüssel)', contraAccount],
    ['Belegdatum', `${documentDay.slice(8, 10)}${documentDay.slice(5, 7)}`],
    ['Belegfeld 1', quoted(documentNumber, 36)],
    ['Buchungstext', quoted(text, 60)],
  ])
  if (taxKey) cells.set('BU-Schlüssel', quoted(taxKey.padStart(4, '0'), 4))
  if (place) {
    cells.set('EU-Land u. UStID (Bestimmung)', quoted(place.country, 15))
    cells.set('EU-Steuersatz (Bestimmung)', comma(decimal(place.rateBps, 2)))
  }
  return windows1252(line(columns.map((column) => cells.get(column) ?? (texts.has(column) ? '""' : ''))))
}

function inHundredths(amount: bigint, currency: string): string {
  const text = decimal(amount, minorDigits(currency))
  return comma(text.includes('.') ? text : `${text}.00`)
}

/**
 * The characters of Windows-1252 from byte 0x80 on, where ISO 8859-1 has control characters; five bytes mean nothing.
 */
const from0x80 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

/** Encodes a text; a character that the code page has not becomes a question mark. */
export function windows1252(text: string): Buffer {
  const byteOf = (character: string): number => {
    const code = character.codePointAt(0) ?? 0
    if (code < 0x80 || (code >= 0xa0 && code <= 0xff)) return code
    const position = code < 0xa0 ? -1 : from0x80.indexOf(character)
    return position < 0 ? '?'.charCodeAt(0) : 0x80 + position
  }
  return Buffer.from(Array.from(text, byteOf))
}
