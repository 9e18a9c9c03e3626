/** The one file that `npm run dev` makes of a program's sources. */
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { root } from '../../../cli/programs/entry-points.ts'
import { isThere } from '../../../cli/programs/make-once.ts'
import { createBuilds } from '../../../dev/programs/builds.ts'

test('a built program knows where each of its sources is, and its packages are found', async () => {
  const builds = createBuilds()
  onTestFinished(() => builds.close())
  await builds.build('worker')
  const file = await builds.fileOf('worker')
  const text = await readFile(file, 'utf8')
  expect(text).not.toContain('import.meta.url')
  expect(text).toContain(`"${pathToFileURL(`${root}db/connection/migrate.ts`).href}"`)
  expect(text).toContain('from "@temporalio/worker"')
  expect(await isThere(`${dirname(file)}/node_modules/@temporalio/worker/package.json`)).toBe(true)
  await builds.close()
  expect(await isThere(file)).toBe(false)
})
