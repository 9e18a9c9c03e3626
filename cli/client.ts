/** `npm run client`: generates the typed client from the OpenAPI document that a running API serves. */
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { OpenApiDocument } from '../api/http/openapi.ts'
import { startStack } from '../dev/stack.ts'
import { clientDocument, originLine } from './client-document.ts'

const folder = new URL('../client/', import.meta.url)
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const stack = await startStack({ workers: 0, onProgress: say, onLogLine: () => {} })
try {
  const answer = await fetch(`${stack.urls.api}/openapi.json`)
  const json = `${JSON.stringify(clientDocument((await answer.json()) as OpenApiDocument), null, 2)}\n`
  await writeFile(new URL('openapi.json', folder), json)
  say('installing the generator')
  for (const command of [
    ['install', '--no-save', '--no-audit', '--no-fund'],
    ['run', 'generate'],
  ]) {
    execFileSync('npm', command, { cwd: fileURLToPath(folder), stdio: 'inherit' })
  }
  const types = new URL('schema.ts', folder)
  await writeFile(types, originLine(json) + (await readFile(types, 'utf8')))
  say('client/openapi.json and client/schema.ts are written')
} finally {
  await stack.stop()
}
