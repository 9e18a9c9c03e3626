/**
 * The provider's packages: about forty base packages with a top-up for each that allows one, and the test packages. The
 * shape is captured from POST /package/list. Prices are integers with 10,000 to the US dollar; volumes are bytes.
 */
import { testPackages } from './test-packages.ts'

const GIB = 1024 ** 3

export interface CataloguePackage {
  packageCode: string
  slug: string
  name: string
  price: number
  currencyCode: 'USD'
  volume: number
  smsStatus: 0 | 1 | 2
  /** 1: total; 2: daily, slower once it is used; 3: daily, blocked once it is used */
  dataType: 1 | 2 | 3
  /** days until an eSIM that was never installed expires */
  unusedValidTime: number
  duration: number
  durationUnit: 'DAY'
  /** ISO 3166 alpha-2 codes, separated by commas */
  location: string
  locationCode: string
  description: string
  /** 1: validity starts at installation, 2: at the first connection */
  activeType: 1 | 2
  favorite: boolean
  retailPrice: number
  speed: string
  ipExport: string
  /**
   * 1: eSIMs of it take no top-ups; 2: they do; 3: they do, with periodNum (docs.esimaccess.com, Get All Data Packages)
   */
  supportTopUpType: 1 | 2 | 3
  fupPolicy: string
  locationNetworkList: {
    locationName: string
    locationLogo: string
    operatorList: { operatorName: string; networkType: string }[]
  }[]
}

export interface Location {
  code: string
  name: string
  /** 1: one country; 2: several */
  type: 1 | 2
  countries: string[]
}

const EUROPE = 'AT,BE,BG,CH,CY,CZ,DE,DK,EE,ES,FI,FR,GB,GR,HR,HU,IE,IS,IT,LI,LT,LU,LV,MT,NL,NO,PL,PT,RO,SE,SI,SK'.split(
  ',',
)
const ASIA = 'CN,HK,ID,JP,KH,KR,LA,MO,MY,PH,SG,TH,TW,VN'.split(',')
const AMERICA = ['CA', 'MX', 'US']
const WORLD = [...EUROPE, ...ASIA, ...AMERICA, ...'AE,AR,AU,BR,CL,CO,EG,IL,IN,JO,KE,MA,NZ,PE,SA,TR,UA,ZA'.split(',')]

const country = (code: string, name: string): Location => ({ code, name, type: 1, countries: [code] })
const region = (code: string, name: string, countries: string[]): Location => ({ code, name, type: 2, countries })

/** [location, operator, plans as gigabytes/days/cents, fields that differ from the default] */
type Row = [Location, string, string, Partial<CataloguePackage>?]

const ROWS: Row[] = [
  [country('DE', 'Germany'), 'Telekom', '1/7/90 5/30/320 20/30/980'],
  [country('FR', 'France'), 'Orange', '1/7/95 5/30/330 10/30/560'],
  [country('ES', 'Spain'), 'Movistar', '1/7/85 5/30/300 10/30/520'],
  [country('IT', 'Italy'), 'TIM', '1/7/88 5/30/310'],
  [country('GB', 'United Kingdom'), 'EE', '1/7/92 10/30/540'],
  [country('US', 'United States'), 'T-Mobile', '1/7/130 5/30/480 20/30/1450', { activeType: 2 }],
  [country('JP', 'Japan'), 'Softbank', '1/7/110 5/30/420 10/30/720'],
  [country('TR', 'Türkiye'), 'Turkcell', '1/7/100 5/30/370'],
  [country('TH', 'Thailand'), 'AIS', '3/15/260 15/30/690'],
  [country('CH', 'Switzerland'), 'Swisscom', '1/7/140 5/30/520'],
  [country('AE', 'United Arab Emirates'), 'Etisalat', '1/7/210 3/30/560'],
  [country('EG', 'Egypt'), 'Vodafone', '1/7/190 3/30/480', { supportTopUpType: 1 }],
  [region('EU-32', 'Europe (32 countries)', EUROPE), 'Orange', '1/7/150 5/30/540 20/30/1650'],
  [region('AS-14', 'Asia (14 countries)', ASIA), 'Singtel', '1/7/180 6/15/750'],
  [region('NA-3', 'North America (3 countries)', AMERICA), 'AT&T', '1/7/190 10/30/1300', { activeType: 2 }],
  [region('GL-67', 'Global (67 countries)', WORLD), 'Truphone', '1/7/420 5/30/1700 10/180/3300'],
]

/** [location code, gigabytes a day, price in cents a day, dataType] */
const DAILY: [string, number, number, 2 | 3][] = [
  ['JP', 1, 95, 2],
  ['US', 1, 125, 2],
  ['TH', 2, 110, 3],
  ['EU-32', 1, 160, 2],
]

/** [location code, plan as in ROWS]: packages whose eSIMs take no top-ups, at places where the others do */
const NOT_RELOADABLE: [string, string][] = [['TR', '3/15/190']]

const countryNames = new Intl.DisplayNames(['en'], { type: 'region' })

const antarctica = country('AQ', 'Antarctica')

export const locations: Location[] = [...ROWS.map(([location]) => location), antarctica]

/** A new copy of the catalogue, since each simulator can change its own prices and stock. */
export function createCatalogue(): { base: CataloguePackage[]; topUps: CataloguePackage[] } {
  let number = 100
  const code = () => `CKH${number++}`
  const sold = ([location, operator]: Row, plan: string, special?: Partial<CataloguePackage>): CataloguePackage => {
    const [gigabytes = 0, days = 0, cents = 0] = plan.split('/').map(Number)
    return {
      ...onePackage(location, operator, code()),
      slug: `${location.code}_${gigabytes}_${days}`,
      name: `${location.name} ${gigabytes}GB ${days}Days`,
      description: `${location.name} ${gigabytes}GB ${days}Days`,
      price: cents * 100,
      retailPrice: cents * 200,
      volume: gigabytes * GIB,
      duration: days,
      ...special,
    }
  }
  const base = ROWS.flatMap((row) => row[2].split(' ').map((plan) => sold(row, plan, row[3])))
  const daily = DAILY.map(([where, gigabytes, cents, dataType]): CataloguePackage => {
    const [location, operator] = rowOf(where)
    return {
      ...onePackage(location, operator, code()),
      slug: `${where}_${gigabytes}_Daily`,
      name: `${location.name} ${gigabytes}GB/Day`,
      description: `${location.name} ${gigabytes}GB/Day${dataType === 2 ? ' FUP384Kbps' : ''}`,
      price: cents * 100,
      retailPrice: cents * 200,
      volume: gigabytes * GIB,
      duration: 1,
      dataType,
      supportTopUpType: 3,
      fupPolicy: dataType === 2 ? '384 Kbps' : '',
    }
  })
  const notReloadable = NOT_RELOADABLE.map(([where, plan]) => sold(rowOf(where), plan, { supportTopUpType: 1 }))
  const tests = testPackages.map(({ packageCode, gigabytes, cents }): CataloguePackage => {
    const name = `${antarctica.name} ${gigabytes}GB 7Days`
    return {
      ...onePackage(antarctica, 'Simulated', packageCode),
      slug: `${antarctica.code}_${gigabytes}_7`,
      name,
      description: name,
      price: cents * 100,
      retailPrice: cents * 200,
      volume: gigabytes * GIB,
      duration: 7,
      supportTopUpType: 1,
    }
  })
  const all = [...base, ...daily, ...notReloadable, ...tests]
  const topUps = all.filter(isReloadable).map((each) => ({ ...each, packageCode: `TOPUP_${each.packageCode}` }))
  return { base: all, topUps }
}

/** Whether eSIMs of a package take top-ups. */
export const isReloadable = ({ supportTopUpType }: CataloguePackage): boolean => supportTopUpType !== 1

function rowOf(where: string): Row {
  const row = ROWS.find(([location]) => location.code === where)
  if (!row) throw new Error(`no location ${where}`)
  return row
}

function onePackage(location: Location, operator: string, packageCode: string): CataloguePackage {
  return {
    packageCode,
    slug: '',
    name: '',
    price: 0,
    currencyCode: 'USD',
    volume: 0,
    smsStatus: 0,
    dataType: 1,
    unusedValidTime: 180,
    duration: 0,
    durationUnit: 'DAY',
    location: location.countries.join(','),
    locationCode: location.code,
    description: '',
    activeType: 1,
    favorite: false,
    retailPrice: 0,
    speed: '4G/5G',
    ipExport: location.type === 1 ? location.code : 'HK',
    supportTopUpType: 2,
    fupPolicy: '',
    locationNetworkList: location.countries.map((code) => ({
      locationName: countryNames.of(code) ?? code,
      locationLogo: `/img/flags/${code.toLowerCase()}.png`,
      operatorList: [{ operatorName: operator, networkType: '4G/5G' }],
    })),
  }
}
