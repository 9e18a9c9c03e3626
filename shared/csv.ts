/** CSV by RFC 4180. */

/** A line of cells. A text that a spreadsheet would run as a formula begins with an apostrophe. */
export const csvLine = (cells: readonly (string | number | null)[]): string => `${cells.map(cell).join(',')}\r\n`

function cell(value: string | number | null): string {
  if (value === null) return ''
  const text = String(value)
  const isFormula = /^[=+@\t\r-]/.test(text) && !/^-[\d.]+$/.test(text)
  const harmless = isFormula ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** An amount with its decimal places, exactly: 1234 with 2 is 12.34. */
export function decimal(minor: bigint | number, digits: number): string {
  const amount = BigInt(minor)
  const text = (amount < 0n ? -amount : amount).toString().padStart(digits + 1, '0')
  const whole = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
  return amount < 0n ? `-${whole}` : whole
}
