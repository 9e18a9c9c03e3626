/**
 * The client that is generated in Kotlin compiles. `npm test -- --all test/developer/kotlin.test.ts` needs Maven and JDK
 * 17, minutes, and packages from Maven Central. A client in Swift is not compiled: no package registry has a compiler.
 */
import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'

const run = promisify(execFile)
const pom = fileURLToPath(new URL('../../client/kotlin/pom.xml', import.meta.url))
const isAsked = process.env.TEST_ALL === '1'
const hasMaven =
  isAsked &&
  (await run('mvn', ['--version']).then(
    () => true,
    () => false,
  ))

test.skipIf(!hasMaven)(
  'the generated Kotlin client compiles (skipped without --all, Maven or JDK 17)',
  { timeout: 600_000 },
  async () => {
    const folder = await throwawayFolder('ama-esim-kotlin-')
    try {
      const { stdout } = await run('mvn', ['-B', '-f', pom, `-Doutput=${folder}/target`, 'compile'], {
        maxBuffer: 64 * 1024 ** 2,
      }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }))
      expect(stdout.split('\n').filter((line) => line.includes('[ERROR]'))).toEqual([])
      expect(stdout).toContain('BUILD SUCCESS')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
)
