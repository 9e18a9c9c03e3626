/**
 * `npm run screenshots [parts of pages' names]`: the main and the failing path of each page of the table, also of the
 * console and the documentation, on a phone and a desktop, light and dark, in each of its languages, in
 * `.data/screenshots` with an index.html. A page that is wider than its screen is named.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { type Language, languages } from '../../messages/languages.ts'
import { readArguments } from '../../shared/process/arguments.ts'
import { lacks } from '../harness/optional/optional.ts'
import { startProduct } from '../harness/product.ts'
import { startBrowser } from './chromium.ts'
import { type Furnished, furnishOperator, furnishPerson } from './furnished.ts'
import { brokenWords, fits } from './look.ts'
import {
  operatorsForms,
  operatorsPages,
  peoplesForms,
  peoplesPages,
  type Visit,
  visitsOf,
  type Way,
} from './page-table.ts'
import { allLooks, go, type Look, openAs } from './ways.ts'

const folder = fileURLToPath(new URL('../../.data/screenshots/', import.meta.url))
const taken: Shot[] = []
/** parts of the names of the wanted pages */
const { positionals: wanted } = readArguments(
  'Usage: npm run screenshots [-- <parts of the names of pages>...]',
  {},
  { words: true },
)

const isWanted = (name: string): boolean => wanted.length === 0 || wanted.some((part) => name.includes(part))
const isSomeWanted = (visits: readonly { name: string }[]): boolean => visits.some(({ name }) => isWanted(name))

interface Shot extends Look {
  name: string
}

async function photograph<Paths>(
  browser: Browser,
  site: string,
  visits: readonly Visit<Paths>[],
  language: Language,
  { surfer, paths }: Furnished<Paths>,
): Promise<void> {
  const chosen = visits.filter(({ name }) => isWanted(name))
  for (const look of allLooks([language])) {
    const [signedIn, anonymous] = await Promise.all(
      [surfer, undefined].map(async (who) => (await openAs(browser, site, look, who)).page),
    )
    if (!signedIn || !anonymous) throw new Error('no window')
    const take = async (name: string, way: Way, page: typeof signedIn): Promise<void> => {
      await go(page, site, way)
      if (!(await fits(page))) console.log(`too wide: ${name} in ${language} on a ${look.screen}`)
      const broken = await brokenWords(page)
      if (broken.length > 0)
        console.log(`broken words: ${name} in ${language} on a ${look.screen}: ${broken.join(', ')}`)
      const shot = { name, ...look }
      await page.screenshot({ path: `${folder}${fileOf(shot)}`, fullPage: true, timeout: 120_000 })
      taken.push(shot)
    }
    for (const { name, by, way } of chosen) {
      const how = way(paths)
      await take(name, how, (how.by ?? by) === 'nobody' ? anonymous : signedIn)
    }
    await Promise.all([signedIn.context().close(), anonymous.context().close()])
  }
}

const fileOf = ({ name, language, screen, theme }: Shot): string => `${name}-${language}-${screen}-${theme}.png`

function indexOf(shots: readonly Shot[]): string {
  const names = [...new Set(shots.map(({ name }) => name))]
  const sections = names.map((name) => {
    const figures = shots
      .filter((shot) => shot.name === name)
      .map((shot) => {
        const file = fileOf(shot)
        return `<a href="${file}"><img class="${shot.screen}" src="${file}" alt="${file}" loading="lazy"><br>${shot.language}, ${shot.screen}, ${shot.theme}</a>`
      })
    return `<h2>${name}</h2><div>${figures.join('')}</div>`
  })
  const style =
    'body{font:14px system-ui;margin:1rem}div{display:flex;flex-wrap:wrap;gap:1rem;align-items:start}img{border:1px solid #888;max-height:40rem;object-fit:cover;object-position:top}img.phone{width:180px}img.desktop{width:400px}'
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Screenshots</title><style>${style}</style><h1>Screenshots</h1>${sections.join('')}</html>`
}

if (lacks('Chromium')) throw new Error('There is no Chromium: set CHROMIUM_PATH, or install it as /usr/bin/chromium.')
const product = await startProduct()
const browser = await startBrowser()
try {
  const { api: site } = product.urls
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const people = visitsOf(peoplesPages, peoplesForms)
  for (const language of isSomeWanted(people) ? languages : [])
    await photograph(browser, site, people, language, await furnishPerson(product, language))
  const operators = visitsOf(operatorsPages, operatorsForms)
  if (isSomeWanted(operators)) await photograph(browser, site, operators, 'en', await furnishOperator(product))
  await writeFile(`${folder}index.html`, indexOf(taken))
  console.log(`${taken.length} screenshots: ${folder}index.html`)
} finally {
  await browser.close()
  await product.stop()
}
