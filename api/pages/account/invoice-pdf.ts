/**
 * U6, accounting and tax duties are met: an invoice or a credit note as a PDF of one page, tagged, so that a screen
 * reader can read it.
 */
import { buffer } from 'node:stream/consumers'
import PDFDocument from 'pdfkit'
import { colours } from '../../../mails/style.ts'
import type { Texts } from '../../../messages/texts.ts'
import { drawnMark } from '../brand/wordmark.tsx'
import type { InvoiceContent } from './invoice-content.ts'

const margin = 56
const wide = 595.28 - 2 * margin

/** @returns the bytes of the file */
export async function invoicePdf(content: InvoiceContent, { t, language }: Texts): Promise<Buffer> {
  const { title, customer, issuedOn, facts, line, totals, notes } = content
  const pdf = new PDFDocument({
    size: 'A4',
    margin,
    lang: language,
    tagged: true,
    displayTitle: true,
    info: { Title: title, Author: 'AMA eSIM', CreationDate: issuedOn },
  })
  const written = buffer(pdf)
  const root = pdf.struct('Document')
  pdf.addStructure(root)
  const part = (tag: 'H1' | 'P', draw: () => void) => root.add(pdf.struct(tag, {}, draw))

  pdf.save().translate(margin, margin)
  pdf.path(drawnMark.card).fill(colours.accent)
  pdf.path(drawnMark.mountain).lineWidth(3).lineCap('round').lineJoin('round').stroke('#ffffff').restore()
  part('P', () => {
    pdf.font('Helvetica-Bold').fontSize(16).fillColor(colours.ink)
    pdf.text('AMA eSIM', margin + 36, margin + 9)
  })
  part('H1', () => pdf.fontSize(22).text(title, margin, margin + 64))
  pdf.moveDown(0.6).fontSize(10)
  for (const [name, value] of facts) {
    const { y } = pdf
    part('P', () => {
      pdf.font('Helvetica').fillColor(colours.muted).text(name, margin, y, { width: 120 })
      const shown = printable(name === customer ? withoutForeignName(value) : value)
      pdf.fillColor(colours.ink).text(shown, margin + 130, y, { width: wide - 130 })
    })
    pdf.moveDown(0.4)
  }
  pdf.moveDown(1)
  row(t('purchase.invoice.description'), t('purchase.invoice.quantity'), t('purchase.invoice.net'), { bold: true })
  rule()
  row(line.description, line.quantity, line.amount)
  rule()
  totals.forEach(([name, amount], index) => {
    row(name, '', amount, { bold: index === totals.length - 1 })
  })
  pdf.moveDown(1)
  for (const note of notes)
    part('P', () =>
      pdf.font('Helvetica').fillColor(colours.muted).text(printable(note), margin, pdf.y, { width: wide }),
    )
  part('P', () => pdf.fontSize(8).text(t('common.imprint'), margin, 780, { width: wide, lineBreak: true, height: 24 }))
  root.end()
  pdf.end()
  return written

  function row(what: string, quantity: string, amount: string, { bold = false } = {}): void {
    const { y } = pdf
    part('P', () => {
      pdf
        .font(bold ? 'Helvetica-Bold' : 'Helvetica')
        .fontSize(10)
        .fillColor(colours.ink)
      pdf.text(printable(amount), margin + wide - 100, y, { width: 100, align: 'right' })
      pdf.text(quantity, margin + wide - 180, y, { width: 70, align: 'right' })
      pdf.text(printable(what), margin, y, { width: wide - 190 })
    })
    pdf.moveDown(0.5)
  }

  function rule(): void {
    pdf
      .moveTo(margin, pdf.y)
      .lineTo(margin + wide, pdf.y)
      .lineWidth(0.5)
      .stroke(colours.line)
      .moveDown(0.5)
  }
}

/**
 * The fonts that each reader has hold the letters of Western Europe. Other Latin letters go without their accent, and a
 * question mark takes the place of a letter of another script: nothing of a document is left out.
 */
const printable = (text: string): string =>
  [...text.replaceAll(/[\u00a0\u202f]/g, ' ')].map((letter) => inPrint(letter) ?? '?').join('')

/** A name in another script is left out, since the page has it, and the address beside it tells the customer. */
const withoutForeignName = (customer: string): string =>
  customer
    .split(', ')
    .filter((part) => [...part].every((letter) => inPrint(letter) !== undefined))
    .join(', ')

const plainLetters: Record<string, string | undefined> = {
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ħ: 'h',
  ı: 'i',
  ŧ: 't',
  '\u2011': '-',
}

/** The nearest letter of the font, if there is one. */
function inPrint(letter: string): string | undefined {
  if (inFont.test(letter)) return letter
  const plain = plainLetters[letter] ?? letter.normalize('NFD').replaceAll(/\p{M}/gu, '')
  return inFont.test(plain) ? plain : undefined
}

/** Windows-1252, by which PDF's standard fonts are encoded. */
const inFont = /^[\x20-\x7e\u00a0-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]*$/
