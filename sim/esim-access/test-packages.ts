/**
 * Packages by which a developer reaches an outcome on purpose: docs/quickstart.md lists them. They are for Antarctica,
 * where nobody else sells. The last three cost what makes an amount at which simulated Stripe does the rest
 * (sim/stripe/confirm/test-amounts.ts), at the shop's prices of development.
 */
export interface TestPackage {
  packageCode: string
  /** what this provider does with an order of it; without one it delivers */
  outcome?: 'out_of_stock' | 'slow'
  gigabytes: number
  /** US cents */
  cents: number
}

export const testPackages: readonly TestPackage[] = [
  { packageCode: 'TEST-OUT-OF-STOCK', outcome: 'out_of_stock', gigabytes: 1, cents: 90 },
  { packageCode: 'TEST-SLOW', outcome: 'slow', gigabytes: 2, cents: 170 },
  { packageCode: 'TEST-DECLINED', gigabytes: 3, cents: 6_880 },
  { packageCode: 'TEST-REVIEW', gigabytes: 4, cents: 6_950 },
  { packageCode: 'TEST-REFUND-FAILS', gigabytes: 5, cents: 7_020 },
]

/** Long enough to see an order wait, short enough to see its delivery. */
export const slowAllocationSeconds = 60

export const outcomeOf = (packageCode: string): TestPackage['outcome'] =>
  testPackages.find((each) => each.packageCode === packageCode)?.outcome
