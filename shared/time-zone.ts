/** The days of a place: they begin at other times than those in UTC. */

/** The day (YYYY-MM-DD) that it is in a time zone (IANA) at a time. */
export function dayIn(timeZone: string, at: Date): string {
  const format = new Intl.DateTimeFormat('en', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const [month, day, year] = format.formatToParts(at).flatMap(({ type, value }) => (type === 'literal' ? [] : value))
  return `${year}-${month}-${day}`
}

/** Whether this program knows a time zone by its name. */
export function isTimeZone(name: string): boolean {
  try {
    return dayIn(name, new Date(0)) !== ''
  } catch {
    return false
  }
}
