/** A server that cannot start causes one error at its caller, and no later unhandled error. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A child process ends with code 0 only without pending work and without an unhandled error. */
const startRefused = `
  import { startTemporal } from './dev/temporal/temporal.ts'
  await startTemporal({ namespace: 'default', searchAttributes: { Odd: 'NoSuchType' } }).then(
    () => console.log('it started'),
    (error) => console.log(error.message.split('\\n')[0]),
  )`

test('a Temporal server that cannot start leaves no call that is retried after its connection is closed', async () => {
  const args = ['--import', 'tsx', '--input-type=module', '--eval', startRefused]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root })
  expect([stdout.trim(), stderr]).toEqual(['The Temporal server ended while starting (code 1):', ''])
})
