/** CSV by RFC 4180. */

/** A line of cells. */
export const csvLine = (cells: readonly (string | number | null)[]): string => `${cells.map(cell).join(',')}\r\n`

function cell(value: string | number | null): string {
  if (value === null) return ''
  const text = String(value)
  const harmless = noFormula(text)
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** Spreadsheets take signs of full width for the usual ones, and some leave out what stands before them unseen. */
const formula = /^(?:[\t\r\n]|[\s\p{Cf}]*[=+@\-＝＋＠－])/u

/** A text that no spreadsheet runs: one that would be a formula begins with an apostrophe. */
export const noFormula = (text: string): string => (formula.test(text) && !/^-[\d.]+$/.test(text) ? `'${text}` : text)

/** An amount with its decimal places, exactly: 1234 with 2 is 12.34. */
export function decimal(minor: bigint | number, digits: number): string {
  const amount = BigInt(minor)
  const text = (amount < 0n ? -amount : amount).toString().padStart(digits + 1, '0')
  const whole = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
  return amount < 0n ? `-${whole}` : whole
}
