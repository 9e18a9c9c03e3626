import type { Context } from '../../context.ts'
import type { SimulatorName } from '../../dev/simulators/simulators.ts'
import type { EsimProviderId } from '../../providers/esim.ts'
import { entriesOf } from '../../shared/keys-of.ts'

/** Packages that tests buy, each with its eSIM providers in the order in which they are asked. */
export const testPackages = {
  /** 1 GB, 7 days, 5.00 EUR: eSIM Access, then Airalo */
  anyProvider: 'test-germany-1gb',
  onlyEsimAccess: 'test-germany-1gb-esim-access',
  onlyAiralo: 'test-germany-1gb-airalo',
  topUp: 'test-germany-1gb-top-up',
} as const

/** Each eSIM provider's simulator. */
const simulatorOf = {
  'esim-access': 'esimAccess',
  airalo: 'airalo',
} as const satisfies Readonly<Record<EsimProviderId, SimulatorName>>
export type EsimSimulator = (typeof simulatorOf)[EsimProviderId]
export const esimSimulatorNames: readonly EsimSimulator[] = Object.values(simulatorOf)

const onlyAt: Readonly<Record<EsimSimulator, TestPackage>> = {
  esimAccess: testPackages.onlyEsimAccess,
  airalo: testPackages.onlyAiralo,
}
/** Each eSIM provider's simulator, with a package that only this provider has. */
export const eachProvider = entriesOf(onlyAt)

export type TestPackage = (typeof testPackages)[keyof typeof testPackages]

const offersOf: Record<TestPackage, { kind: 'base' | 'top_up'; offers: Partial<Record<EsimProviderId, string>> }> = {
  'test-germany-1gb': { kind: 'base', offers: { 'esim-access': 'CKH100', airalo: 'hallo-mobil-7days-1gb' } },
  'test-germany-1gb-esim-access': { kind: 'base', offers: { 'esim-access': 'CKH100' } },
  'test-germany-1gb-airalo': { kind: 'base', offers: { airalo: 'hallo-mobil-7days-1gb' } },
  'test-germany-1gb-top-up': {
    kind: 'top_up',
    offers: { 'esim-access': 'TOPUP_CKH100', airalo: 'hallo-mobil-7days-1gb-topup' },
  },
}

export const testPriceMinor = 500

/** Adds the packages to the catalogue. */
export async function addTestPackages({ sql, esimProviders, config }: Context): Promise<void> {
  const at = new Date()
  const offered = {
    'esim-access': await esimProviders['esim-access'].listPackages(),
    airalo: await esimProviders.airalo.listPackages(),
  }
  for (const [code, { kind, offers }] of Object.entries(offersOf)) {
    await sql`
      insert into packages (code, kind, name, destinations, data_bytes, daily, days, price_minor, currency, updated_at)
      values (${code}, ${kind}, 'Germany, 1 GB, 7 days', ${['DE']}, ${2 ** 30}, false, 7, ${testPriceMinor},
        ${config.SHOP_CURRENCY}, ${at})
      on conflict (code) do nothing`
    for (const [rank, [provider, providerCode]] of entriesOf(offers).entries()) {
      const found = offered[provider].find((each) => each.code === providerCode && each.kind === kind)
      if (!found) throw new Error(`${provider} does not sell ${providerCode} any more`)
      await sql`
        insert into package_offers (package_code, provider, provider_package_code, family, cost_micros, cost_currency,
          validity_starts, supports_top_up, rank, available, seen_at)
        values (${code}, ${provider}, ${providerCode}, ${found.family}, ${found.costMicros}, ${found.costCurrency},
          ${found.validityStarts}, ${found.supportsTopUp}, ${rank}, true, ${at})
        on conflict (package_code, provider) do nothing`
    }
  }
}
