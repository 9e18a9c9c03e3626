/** The documents are correct: named files exist, and each decision has its date, status and alternatives. */
import { access, readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { z } from 'zod'

const root = new URL('../', import.meta.url)
const read = (name: string): Promise<string> => readFile(new URL(name, root), 'utf8')

/** Of the root and of all folders but those of packages and of what programs write. */
async function documents(): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name))
  const inFolders = folders.map(async ({ name: folder }) =>
    (await readdir(new URL(`${folder}/`, root), { recursive: true })).map((name) => `${folder}/${name}`),
  )
  const names = [...entries.map(({ name }) => name), ...(await Promise.all(inFolders)).flat()]
  return names.filter((name) => name.endsWith('.md') && !name.includes('node_modules/')).sort()
}

test('the documents of each folder are read', async () => {
  const found = await documents()
  const ofFolders = ['README.md', 'bench/RESULTS.md', 'client/README.md', 'docs/glossary.md', 'test/attack/RESULTS.md']
  expect(found).toEqual(expect.arrayContaining(ofFolders))
})

test('every link between documents leads to a file', async () => {
  for (const document of await documents()) {
    const links = [...(await read(document)).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link]) => link)
    for (const link of links) {
      const target = fileURLToPath(new URL(link ?? '', new URL(document, root)))
      await expect(access(target), `${document} → ${link}`).resolves.toBeUndefined()
    }
  }
})

test('every file or folder that a document names exists, seen from the root or beside the document', async () => {
  for (const document of (await documents()).filter((name) => name !== 'CHANGELOG.md')) {
    const text = await read(document)
    // A path in backticks with a folder of the project, without placeholders such as <name>.
    const named = [...text.matchAll(/`((?:[a-z][\w-]*\/)+(?:[\w.-]+\.\w+)?)`/g)].map(([, path]) => path ?? '')
    for (const path of named) {
      const places = [new URL(path, root), new URL(path, new URL(document, root))]
      const found = Promise.any(places.map((place) => access(fileURLToPath(place))))
      await expect(found, `${document}: ${path}`).resolves.toBeUndefined()
    }
  }
})

test('the example of a patch is the code of today, and with its patch the same with one line more', async () => {
  const [before = '', after = ''] = [...(await read('docs/changing-workflows.md')).matchAll(/```ts\n(.*?)```/gs)].map(
    ([, code]) => code ?? '',
  )
  expect(before).not.toBe('')
  expect(await read('workflows/order/order.ts')).toContain(before)
  expect(after.replace(/^ *if \(patched\(.*\n/m, '')).toBe(before)
})

test('README.md and docs/changing-workflows.md name each command of npm run deploy, and print what it prints', async () => {
  const [source, rollout] = await Promise.all([read('cli/deploy.ts'), read('cli/deploy/rollout.ts')])
  const commands = /^ \* `npm run deploy -- ([\w|]+)`/m.exec(source)?.[1]?.split('|') ?? []
  expect(commands).toContain('rollback')
  const [readme, changing] = await Promise.all([read('README.md'), read('docs/changing-workflows.md')])
  for (const command of commands) {
    expect(readme, command).toMatch(new RegExp(`\`(?:npm run deploy -- )?${command}[ \`]`))
    expect(changing, command).toContain(`\`npm run deploy -- ${command}`)
  }
  const printed = [...changing.matchAll(/^\$ npm run deploy -- retire\n([^`]+)```/gm)].flatMap(([, lines = '']) =>
    lines.trim().split('\n'),
  )
  expect(printed).toContain('Nothing was retired.')
  for (const part of printed.flatMap((line) => line.split('4f0c2d9b1a7e'))) expect(rollout).toContain(part)
})

test('every command of ours that a document names exists, with its options', async () => {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(await read('package.json')))
  const fileOf = ([name, command]: [string, string]) =>
    [name, /([\w./-]+\.(?:ts|mjs))\b(?:[^.]*)$/.exec(command)?.[1]] as const
  const files = Object.entries(scripts).map(fileOf)
  const sources = new Map(
    await Promise.all(files.map(async ([name, file]) => [name, file ? await read(file) : ''] as const)),
  )
  const takes = (source: string, option: string) => new RegExp(`\\b${option}'?: (?:\\{ type: |text,)`).test(source)
  const isOld = (name: string) => name === 'CHANGELOG.md' || name.startsWith('docs/decisions/')
  const wrong: string[] = []
  let named = 0
  for (const document of (await documents()).filter((name) => !isOld(name))) {
    const text = await read(document)
    for (const [asked, name = '', rest = ''] of text.matchAll(
      /\bnpm (?:run )?(test\b|(?<=run )[\w:-]+)((?: -- [^`\n]*)?)/g,
    )) {
      const source = sources.get(name)
      for (const [, option = ''] of rest.matchAll(/ --([a-z][\w-]*)/g)) {
        named += 1
        if (!takes(source ?? '', option)) wrong.push(`${document}: ${asked}`)
      }
      if (source === undefined) wrong.push(`${document}: ${asked}`)
    }
    for (const [, option = ''] of text.matchAll(/`--([a-z][\w-]*)(?: [^`]*)?`/g))
      if (![...sources.values()].some((source) => takes(source, option))) wrong.push(`${document}: --${option}`)
  }
  expect(named).toBeGreaterThan(30)
  expect(wrong).toEqual([])
})

test('every decision has a date, a status and rejected alternatives, and is in the index', async () => {
  const files = (await readdir(new URL('docs/decisions/', root))).filter((name) => name !== 'README.md')
  const index = await read('docs/decisions/README.md')
  expect(files.length).toBeGreaterThan(10)
  for (const file of files) {
    expect(file).toMatch(/^\d{4}-[a-z-]+\.md$/)
    const text = await read(`docs/decisions/${file}`)
    expect(text, file).toMatch(/^# \d{4} .+\n\nDate: \d{4}-\d{2}-\d{2}\. Status: (accepted|superseded by \d{4})\./)
    for (const part of ['Context', 'Decision', 'Rejected']) expect(text, `${file}: ${part}`).toContain(`\n## ${part}\n`)
    expect(index, file).toContain(`](${file})`)
  }
  const numbers = [...index.matchAll(/^\| \[(\d{4})\]/gm)].map(([, number]) => number)
  expect(numbers).toEqual(numbers.toSorted())
})

test('the glossary has each term once', async () => {
  const text = await read('docs/glossary.md')
  const terms = [...text.matchAll(/^\| (?!term \||---)([^|]+) \|/gm)].flatMap(([, cell]) => (cell ?? '').split(', '))
  expect(terms.length).toBeGreaterThan(40)
  expect(terms.filter((term, index) => terms.indexOf(term) !== index)).toEqual([])
})

test('each table of docs/faults.md has each kind of fault once', async () => {
  const tables = (await read('docs/faults.md')).matchAll(/^\| kind \|.*\n(?:^\|.*\n)+/gm)
  const kinds = [...tables].map(([table]) => table.split('\n').map((row) => /^\| ([^|]+) \|/.exec(row)?.[1] ?? ''))
  const faults = kinds.map((each) => each.filter((kind) => !['', 'kind', '---'].includes(kind)))
  expect(faults.flat().length).toBeGreaterThan(40)
  expect(faults.flatMap((each) => each.filter((kind, index) => each.indexOf(kind) !== index))).toEqual([])
})
