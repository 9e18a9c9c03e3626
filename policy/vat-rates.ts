/**
 * Standard rates of VAT of the member states, in hundredths of a percent, with the day from which each applies. Source:
 * the European Commission's Taxes in Europe database (https://ec.europa.eu/taxation_customs/tedb/), which states' own
 * laws precede. The changes since 2024 were compared with reports of them: Slovakia, Finland, Estonia and Romania. No
 * change of a standard rate in 2026 was found. A rate that changes is added here with its day, and none is edited.
 */
interface Rate {
  /** YYYY-MM-DD; missing: before we sold anything */
  from?: string
  bps: number
}

const rates: Readonly<Record<string, readonly Rate[]>> = {
  AT: [{ bps: 2000 }],
  BE: [{ bps: 2100 }],
  BG: [{ bps: 2000 }],
  CY: [{ bps: 1900 }],
  CZ: [{ bps: 2100 }],
  DE: [{ bps: 1900 }],
  DK: [{ bps: 2500 }],
  EE: [{ bps: 2200 }, { from: '2025-07-01', bps: 2400 }],
  ES: [{ bps: 2100 }],
  FI: [{ bps: 2400 }, { from: '2024-09-01', bps: 2550 }],
  FR: [{ bps: 2000 }],
  GR: [{ bps: 2400 }],
  HR: [{ bps: 2500 }],
  HU: [{ bps: 2700 }],
  IE: [{ bps: 2300 }],
  IT: [{ bps: 2200 }],
  LT: [{ bps: 2100 }],
  LU: [{ bps: 1700 }],
  LV: [{ bps: 2100 }],
  MT: [{ bps: 1800 }],
  NL: [{ bps: 2100 }],
  PL: [{ bps: 2300 }],
  PT: [{ bps: 2300 }],
  RO: [{ bps: 1900 }, { from: '2025-08-01', bps: 2100 }],
  SE: [{ bps: 2500 }],
  SI: [{ bps: 2200 }],
  SK: [{ bps: 2000 }, { from: '2025-01-01', bps: 2300 }],
}

/** @param country ISO 3166 */
export const isMemberState = (country: string): boolean => country in rates

export const memberStates: readonly string[] = Object.keys(rates)

/** The standard rate of a member state on a day (YYYY-MM-DD); undefined for another country. */
export const standardRateBps = (country: string, day: string): number | undefined =>
  rates[country]?.findLast(({ from = '' }) => from <= day)?.bps

/** A member state as VAT writes it: Greece is EL there (Directive 2006/112/EC, Article 215). */
export const vatCountryCode = (country: string): string => (country === 'GR' ? 'EL' : country)
