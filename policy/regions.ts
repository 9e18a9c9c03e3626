/** Continents by ISO 3166-1 alpha-2, from Unicode CLDR (supplemental data, territoryContainment). */

/** The codes of continents; `gl` is of no continent alone. */
export const regionCodes = ['eu', 'as', 'af', 'na', 'sa', 'oc', 'gl'] as const

export interface Region {
  code: (typeof regionCodes)[number]
  name: string
}

const continents: [code: Region['code'], name: string, countries: string][] = [
  [
    'eu',
    'Europe',
    'AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK',
  ],
  [
    'as',
    'Asia',
    'AE AF AM AZ BD BH BN BT CN CY GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE',
  ],
  [
    'af',
    'Africa',
    'AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG TN TZ UG YT ZA ZM ZW',
  ],
  [
    'na',
    'North America',
    'AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI',
  ],
  ['sa', 'South America', 'AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE'],
  ['oc', 'Oceania', 'AQ AS AU CC CK CX FJ FM GU HM KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS'],
]

const continentOf = new Map<string, Region>(
  continents.flatMap(([code, name, countries]) => countries.split(' ').map((country) => [country, { code, name }])),
)

const global: Region = { code: 'gl', name: 'Global' }

/** Packages for Europe include Cyprus and Türkiye, so most of the countries decide. */
const majority = 0.8

/** The region of a set of countries: the continent that has at least four fifths of them, else `Global`. */
export function regionOf(countries: readonly string[]): Region {
  const counts = new Map<Region['code'], number>()
  for (const country of countries) {
    const code = continentOf.get(country)?.code
    if (code) counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  const found = continents.find(([code]) => (counts.get(code) ?? 0) >= countries.length * majority)
  return found ? { code: found[0], name: found[1] } : global
}

/** The continent of a country; `Global` for one that no continent lists. */
export const continentOfCountry = (country: string): Region => continentOf.get(country) ?? global
