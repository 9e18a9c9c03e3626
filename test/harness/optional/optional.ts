/**
 * What a test needs and a machine may lack. There the test is skipped, and its title says for want of what:
 * `test.skipIf(lacks('promtool'))('... (skipped without promtool)', ...)`. test/sources/optional.test.ts holds that;
 * `npm test` prints the titles of all tests that it has skipped.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { cacheFolder } from '../../../dev/cache-folder.ts'
import { schemathesisPath } from '../../attack/fuzz/schemathesis.ts'
import { missingForCompose } from '../../deploy/compose/missing.ts'

export const chromiumPath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** The Python that has a reader of DATEV's batches: test/books/datev-reader.test.ts says how it gets there. */
export const germanLedgerPath = (): string => join(cacheFolder(), 'german-ledger-0.11.0', 'bin', 'python')

const require = createRequire(import.meta.url)

const isProgram = (name: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)))

function isLibrary(name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

const optional = {
  /** Debian's package `prometheus` has it. */
  promtool: () => isProgram('promtool'),
  'ssh-keygen': () => isProgram('ssh-keygen'),
  openssl: () => isProgram('openssl'),
  python3: () => isProgram('python3'),
  Chromium: () => existsSync(chromiumPath),
  /** `npm run fuzz` installs it. */
  schemathesis: () => existsSync(schemathesisPath()),
  /** A build with it takes minutes, and packages from Maven Central. */
  Maven: () => process.env.TEST_ALL === '1' && isProgram('mvn'),
  'containers of docker-compose.yml': () => missingForCompose().length === 0,
  'mloda-community-german-ledger': () => existsSync(germanLedgerPath()),
  'airalo-sdk': () => isLibrary('airalo-sdk'),
  'apple-signin-auth': () => isLibrary('apple-signin-auth'),
}

const known = new Map<string, boolean>()

/** Whether this machine lacks what a test needs. It is looked for once in each process. */
export function lacks(name: keyof typeof optional): boolean {
  const lacking = known.get(name) ?? !optional[name]()
  known.set(name, lacking)
  return lacking
}
