/** What the product does in one place alone, or not at all, because an attacker would look for the other places. */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The sources of what runs in production, with their texts. */
async function sources(): Promise<(readonly [file: string, text: string])[]> {
  const folders = 'activities api cli db mails messages policy providers shared temporal worker workflows'.split(' ')
  const names = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(root + folder, { recursive: true })).map((name) => `${folder}/${name}`),
    ),
  )
  const files = names.flat().filter((name) => /\.(?:tsx?|mjs)$/.test(name))
  return Promise.all(
    [...files, 'config.ts', 'context.ts'].map(async (file) => [file, await readFile(root + file, 'utf8')] as const),
  )
}
const all = await sources()
const filesWith = (text: RegExp): string[] =>
  all
    .filter(([, source]) => text.test(source))
    .map(([file]) => file)
    .sort()

test('the sources are found', () => {
  expect(all.length).toBeGreaterThan(500)
})

test('API and worker start no program but those of the backups, and no command line is put together', () => {
  // Commands for developers and operators, and the start of API and worker.
  const ofCommands = ['cli/ensure-installed.mjs', 'cli/generate/client.ts', 'cli/generate/schema-types.ts']
  expect(filesWith(/child_process/)).toEqual([...ofCommands, 'cli/start-production.ts', 'db/backup/pg-tools.ts'].sort())
  expect(filesWith(/\bexec(?:Sync)?\(['"`]|shell: true/)).toEqual([])
  expect(filesWith(/'-c'/)).toEqual(['db/backup/pg-tools.ts'])
})

test('every hash is SHA-256 or SHA-512', () => {
  const hashes = all.flatMap(([file, text]) =>
    [...text.matchAll(/\b(?:create(?:Hash|Hmac)|hkdf(?:Sync)?)\(([^,)]*)/g)].map(([, name = '']) => ({ file, name })),
  )
  expect(hashes.length).toBeGreaterThan(15)
  expect(hashes.filter(({ name }) => !/^'sha(?:256|512)'$/.test(name))).toEqual([])
  // Node's other ways to one.
  expect(filesWith(/\bsubtle\b|\bpbkdf2|import \{[^}]*\bhash\b[^}]*\} from 'node:crypto'/)).toEqual([])
})

test('all cookies are made by one function, and read by their names', () => {
  expect(filesWith(/stringifySetCookie|\.cookie\(/)).toEqual(['api/sign-in/cookies.ts'])
  // A header that is written out, as in `'Set-Cookie': 'a=b'`, would have no prefix and no flags.
  expect(filesWith(/set-cookie['"]?\s*[:,]\s*\[?\s*['"`]/i)).toEqual([])
  expect(filesWith(/parseCookie/)).toEqual(['api/language/request-language.ts', 'api/sign-in/cookies.ts'])
})

test('no page keeps anything in a browser but cookies', () => {
  expect(filesWith(/<script|script>/i)).toEqual(['api/pages/document.tsx'])
  expect(filesWith(/localStorage|sessionStorage|indexedDB|document\.cookie|serviceWorker/)).toEqual([])
})
