/** A command beside `npm start` gets the settings of the running stack, and nothing of it in production. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { environmentBeside, runningSettingsFile } from '../../cli/running-stack.ts'
import { keepSecrets } from '../../dev/development-secrets.ts'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'

test('a command beside npm start has the settings of the running stack; its own ones win', async () => {
  const AMA_DATA_DIR = join(await throwawayFolder('ama-esim-running-'), 'data')
  expect(await environmentBeside({ AMA_DATA_DIR })).toEqual({ AMA_DATA_DIR })
  await keepSecrets(runningSettingsFile({ AMA_DATA_DIR }), { DATABASE_URL: 'postgres://here', SANDBOX: 'true' })
  expect(await environmentBeside({ AMA_DATA_DIR, SANDBOX: 'false' })).toEqual({
    AMA_DATA_DIR,
    DATABASE_URL: 'postgres://here',
    SANDBOX: 'false',
  })
  const production = { AMA_DATA_DIR, NODE_ENV: 'production' }
  expect(await environmentBeside(production)).toEqual(production)
  const configured = { AMA_DATA_DIR, DATABASE_URL: 'postgres://elsewhere' }
  expect(await environmentBeside(configured)).toEqual(configured)
})
