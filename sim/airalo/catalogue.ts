/**
 * The packages of the partner: the tree of GET /packages (country or region → operator → packages), in MB and US
 * dollars.
 */
export interface AiraloPackage {
  id: string
  type: 'sim' | 'topup'
  price: number
  net_price: number
  /** megabytes of 1,048,576 bytes; 0 when unlimited */
  amount: number
  day: number
  is_unlimited: boolean
  title: string
  data: string
  short_info: string | null
  voice: number | null
  text: number | null
}

export interface Operator {
  id: number
  title: string
  type: 'local' | 'global'
  plan_type: 'data'
  activation_policy: 'first-usage' | 'installation'
  is_roaming: boolean
  rechargeability: boolean
  is_kyc_verify: boolean
  install_window_days: number
  topup_grace_window_days: number
  apn_type: 'automatic' | 'manual'
  apn_value: string | null
  is_fair_usage_policy: boolean
  fair_usage_policy: string | null
  countries: { country_code: string; title: string }[]
  coverages: { name: string; code: string; networks: { name: string; types: string[] }[] }[]
  packages: AiraloPackage[]
}

export interface Destination {
  slug: string
  /** empty for a region */
  country_code: string
  title: string
  operators: Operator[]
}

const EUROPE = 'AT BE BG CH CZ DE DK ES FI FR GB GR HR HU IE IT NL NO PL PT RO SE'.split(' ')
const ASIA = 'HK ID JP KR MY PH SG TH TW VN'.split(' ')

/**
 * [slug, ISO codes, title, operator, plans as gigabytes/days/retail cents, other fields of the operator]; `U` gigabytes
 * means unlimited. Net prices are 40 % of retail, rounded to the cent.
 */
type Row = [string, string[], string, string, string, Partial<Operator>?]

const FAIR_USE = {
  is_fair_usage_policy: true,
  fair_usage_policy: 'Lower speed rate of 1 Mbps after 3 GB usage per day.',
}

const ROWS: Row[] = [
  ['germany', ['DE'], 'Germany', 'Hallo Mobil', '1/7/450 3/30/1050 10/30/2400'],
  ['france', ['FR'], 'France', 'Elan', '1/7/450 5/30/1450 U/7/2650', FAIR_USE],
  ['spain', ['ES'], 'Spain', 'Guay Mobile', '1/7/450 5/30/1400'],
  ['italy', ['IT'], 'Italy', 'Mamma Mia', '1/7/450 5/30/1400'],
  ['united-kingdom', ['GB'], 'United Kingdom', 'Uki Mobile', '1/7/450 10/30/2300'],
  ['united-states', ['US'], 'United States', 'Change', '1/7/400 5/30/1600 20/30/4200'],
  ['japan', ['JP'], 'Japan', 'Moshi Moshi', '1/7/450 5/30/1150 10/30/1800', { activation_policy: 'installation' }],
  ['turkey', ['TR'], 'Türkiye', 'Merhaba', '1/7/450 5/30/1250'],
  ['thailand', ['TH'], 'Thailand', 'Maew', '3/15/750 15/30/1900'],
  ['switzerland', ['CH'], 'Switzerland', 'Switzerland Mobile', '1/7/500 5/30/1800'],
  ['united-arab-emirates', ['AE'], 'United Arab Emirates', 'Burj Mobile', '1/7/700 3/30/1500'],
  ['egypt', ['EG'], 'Egypt', 'Nile Mobile', '1/7/750 3/30/1700', { rechargeability: false }],
  ['europe', EUROPE, 'Europe', 'Eurolink', '1/7/500 5/30/2000 10/30/3700', { apn_type: 'manual', apn_value: 'rh' }],
  ['asia', ASIA, 'Asia', 'Asialink', '1/7/500 5/30/2000'],
  ['world', [...EUROPE, ...ASIA, 'US', 'CA', 'AU', 'BR', 'ZA'], 'World', 'Discover', '1/7/900 5/60/3500'],
]

/** A new copy, since each simulator can change its own prices. */
export function createCatalogue(): Destination[] {
  return ROWS.map(([slug, codes, title, operator, plans, special], index): Destination => {
    const base = plans.split(' ').map((plan) => onePackage(operator, plan))
    const rechargeable = special?.rechargeability ?? true
    return {
      slug,
      country_code: codes.length === 1 ? (codes[0] ?? '') : '',
      title,
      operators: [
        {
          id: 501 + index,
          title: operator,
          type: codes.length === 1 ? 'local' : 'global',
          plan_type: 'data',
          activation_policy: 'first-usage',
          is_roaming: true,
          rechargeability: rechargeable,
          is_kyc_verify: false,
          install_window_days: 365,
          topup_grace_window_days: 180,
          apn_type: 'automatic',
          apn_value: null,
          is_fair_usage_policy: false,
          fair_usage_policy: null,
          countries: codes.map((code) => ({ country_code: code, title: codes.length === 1 ? title : code })),
          coverages: codes.map((code) => ({
            name: code,
            code,
            networks: [{ name: `${operator} ${code}`, types: ['LTE', '5G'] }],
          })),
          packages: rechargeable
            ? [...base, ...base.map((each): AiraloPackage => ({ ...each, id: `${each.id}-topup`, type: 'topup' }))]
            : base,
          ...special,
        },
      ],
    }
  })
}

function onePackage(operator: string, plan: string): AiraloPackage {
  const [size = '', days = '', cents = ''] = plan.split('/')
  const unlimited = size === 'U'
  const slug = operator.toLowerCase().replaceAll(' ', '-')
  const data = unlimited ? 'Unlimited' : `${size} GB`
  return {
    id: unlimited ? `${slug}-${days}days-unlimited` : `${slug}-${days}days-${size}gb`,
    type: 'sim',
    price: Number(cents) / 100,
    net_price: Math.round(Number(cents) * 0.4) / 100,
    amount: unlimited ? 0 : Number(size) * 1024,
    day: Number(days),
    is_unlimited: unlimited,
    title: `${data} - ${days} days`,
    data,
    short_info: null,
    voice: null,
    text: null,
  }
}
