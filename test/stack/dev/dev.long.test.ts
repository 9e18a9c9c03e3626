/** `npm run dev` in a copy of the sources: saved files are reloaded, and a mistake does not stop the stack. */
import { cp, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { createCaller } from '../../harness/http.ts'
import { descendants, startProgram, survivors } from '../../harness/processes.ts'
import { until } from '../../harness/until.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const tree = await mkdtemp(join(tmpdir(), 'ama-esim-dev-'))
afterAll(() => rm(tree, { recursive: true, force: true }))

/** Enough for a busy machine; on an idle one each takes a second or two. */
const busyMachine = { timeoutMs: 180_000 }

async function copyTree(): Promise<void> {
  const left = ['node_modules', '.data', '.git', 'test', 'bench']
  for (const name of await readdir(root)) {
    if (!left.includes(name)) await cp(join(root, name), join(tree, name), { recursive: true })
  }
  await symlink(join(root, 'node_modules'), join(tree, 'node_modules'))
}

/** Saves a file as many editors do: a new file replaces the old one. */
async function save(file: string, change: (text: string) => string): Promise<string> {
  const before = await readFile(join(tree, file), 'utf8')
  const after = change(before)
  expect(after).not.toBe(before)
  await writeFile(join(tree, `${file}.new`), after)
  await rename(join(tree, `${file}.new`), join(tree, file))
  return before
}

test('npm run dev reloads a saved route, workflow and text, and after a mistake reloads at the next save', async () => {
  await copyTree()
  const environment = { AMA_DATA_DIR: join(tree, '.data'), AMA_PORTS: 'free', NO_COLOR: '1' }
  const dev = startProgram(process.execPath, ['cli/start.mjs', '--reload'], environment, tree)
  const [, url = ''] = await dev.untilWritten(/API +(http:\S+)/)
  const [, key = ''] = await dev.untilWritten(/operator key\s+(\S+)/)
  await dev.untilWritten(/Ctrl-C stops everything/)
  onTestFinished(() => dev.kill('SIGKILL'))
  const processes = await descendants(dev.pid)
  const operator = createCaller(url, key)
  const liveness = () => fetch(`${url}/livez`, { signal: AbortSignal.timeout(5_000) }).then((it) => it.text(), String)
  const lives = () => dev.output().match(/ live after /g)?.length ?? 0

  await save('api/routes/health.ts', (text) => text.replaceAll("'alive'", "'anew'"))
  await until('the route is live', async () => (await liveness()).includes('anew'), busyMachine)

  await until('the change is reported', async () => lives() === 1, busyMachine)
  await save('workflows/catalogue/catalogue-sync.ts', (text) =>
    text.replace(/(export async function catalogueSync\([^{]*\{\n)/, "$1  console.log('the workflow was saved')\n"),
  )
  await until('the workflow is live', async () => lives() === 2, busyMachine)
  expect([200, 202]).toContain((await operator.post('/v1/packages/sync', {})).status)
  await dev.untilWritten(/the workflow was saved/)

  const title = async () => (await operator.get('/v1/nothing').catch(() => undefined))?.body.title
  await save('messages/en/problems.ts', (text) => text.replace("'Not found'", "'Found nothing'"))
  await until('the text is live', async () => (await title()) === 'Found nothing', busyMachine)
  await until('it is live in both programs', async () => lives() === 3, busyMachine)

  const notLive = () => dev.output().match(/Not live: the next save tries again/g)?.length ?? 0
  const good = await save('api/routes/health.ts', (text) => `${text}\nconst = 1\n`)
  await until('the mistake is reported', async () => notLive() === 1, busyMachine)
  expect(await liveness(), 'the API of before the mistake goes on').toContain('anew')
  await save('api/routes/health.ts', () => good)
  await until('the API is live again', async () => lives() === 4, busyMachine)
  expect(await liveness()).toContain('anew')

  const sound = await save('workflows/catalogue/catalogue-sync.ts', (text) => `${text}\nconst = 1\n`)
  await until('the mistake in a workflow is reported', async () => notLive() === 2, busyMachine)
  await save('workflows/catalogue/catalogue-sync.ts', () =>
    sound.replace('the workflow was saved', 'the workflow was mended'),
  )
  await until('the worker is live again', async () => lives() === 5, busyMachine)
  expect([200, 202]).toContain((await operator.post('/v1/packages/sync', {})).status)
  await dev.untilWritten(/the workflow was mended/)

  dev.kill('SIGINT')
  expect(await dev.ended, dev.output()).toEqual({ code: 0, signal: null })
  await until('nothing of it is left', async () => (await survivors(processes)).length === 0)

  // The programs that the first start has built are those of other sources now.
  await save('api/routes/health.ts', (text) => text.replaceAll("'anew'", "'saved between two starts'"))
  const again = startProgram(process.execPath, ['cli/start.mjs'], environment, tree)
  onTestFinished(() => again.kill('SIGKILL'))
  const [, later = ''] = await again.untilWritten(/API +(http:\S+)/)
  expect(await fetch(`${later}/livez`).then((it) => it.text())).toContain('saved between two starts')
  again.kill('SIGINT')
  expect(await again.ended, again.output()).toEqual({ code: 0, signal: null })
}, 600_000)
