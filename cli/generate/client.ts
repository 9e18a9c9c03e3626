/**
 * `npm run client`: generates the typed client from the OpenAPI document that a running API serves.
 * `npm run client -- --release` also keeps the document as the one that later changes must not break.
 */
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { OpenApiDocument } from '../../api/http/openapi.ts'
import { startStack } from '../../dev/stack.ts'
import { readArguments } from '../../shared/process/arguments.ts'
import { clientDocument, originLine } from './client-document.ts'

const { values } = readArguments('Usage: npm run client [-- --release]', {
  release: { type: 'boolean', default: false },
})
const folder = new URL('../../client/', import.meta.url)
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const stack = await startStack({ workers: 0, onProgress: say, onLogLine: () => {} })
try {
  const answer = await fetch(`${stack.urls.api}/openapi.json`)
  const served: OpenApiDocument = JSON.parse(await answer.text())
  const json = `${JSON.stringify(clientDocument(served), null, 2)}\n`
  await writeFile(new URL('openapi.json', folder), json)
  say('installing the generator')
  for (const command of [
    ['install', '--no-save', '--no-audit', '--no-fund'],
    ['run', 'generate'],
  ]) {
    execFileSync('npm', command, { cwd: fileURLToPath(folder), stdio: 'inherit' })
  }
  const types = new URL('schema.d.ts', folder)
  await writeFile(types, originLine(json) + (await readFile(types, 'utf8')))
  if (values.release) await writeFile(new URL('released.json', folder), json)
  say('client/openapi.json and client/schema.d.ts are written')
} finally {
  await stack.stop()
}
