/** A server that refuses to start is one error for who asked, and nothing is left behind that throws it again later. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A process of its own ends by itself, with code 0, only when nothing is pending and nothing was thrown. */
const startRefused = `
  import { startTemporal } from './dev/temporal/temporal.ts'
  await startTemporal({ namespace: 'default', searchAttributes: { Odd: 'NoSuchType' } }).then(
    () => console.log('it started'),
    (error) => console.log(error.message.split('\\n')[0]),
  )`

test('Temporal’s server: no call to it is repeated once its connection is closed', async () => {
  const args = ['--import', 'tsx', '--input-type=module', '--eval', startRefused]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root })
  expect([stdout.trim(), stderr]).toEqual(['The Temporal server ended while starting (code 1):', ''])
})
