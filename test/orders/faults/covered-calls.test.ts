/**
 * U2: paid means delivered or refunded. A call to an outside party that exists gets pairs of faults, or the reason why
 * not is written down.
 */
import { readFile, stat } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { shareStack } from '../../harness/harness.ts'
import { coveredCalls, pairFiles, withoutCall } from './covered-calls.ts'

const { context } = await shareStack()
/** The parts of a process besides the ports of outside parties. */
const ours = ['config', 'log', 'metrics', 'sql', 'calls', 'cipher', 'dataKeys', 'signer', 'close']

/** `<port>.<function>` of each outside party. */
function functionsOf(port: string, value: unknown): string[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, each]) => (typeof each === 'function' ? [`${port}.${name}`] : []))
}

test('the table of pairs of faults has each function of each outside party, and no other', () => {
  const { esimProviders, ...others } = context
  const found = [...Object.entries(esimProviders), ...Object.entries(others)]
    .filter(([port]) => !ours.includes(port))
    .flatMap(([port, value]) => functionsOf(port, value))
  // Its settings are not there in tests.
  const operatorSignIn = ['addressFor', 'personOf', 'personNow', 'logoutIn'].map((name) => `operatorSignIn.${name}`)
  expect([...found, ...operatorSignIn].sort()).toEqual([...Object.keys(coveredCalls), ...withoutCall].sort())
})

test('each call of the table is planted in the files that it names', async () => {
  for (const [call, { planted, elsewhere }] of Object.entries(coveredCalls)) {
    for (const file of planted?.in ?? [])
      expect(await readFile(pairFiles[file], 'utf8'), `${call} in ${file}`).toContain(planted?.path)
    if (elsewhere) await stat(elsewhere.file)
  }
})

/** A call whose pairs are in a file of its own has there what each-call/ has for all others. */
test('a file with pairs of its own has faults of names, certificates and connections', async () => {
  for (const file of [pairFiles.mailServer, pairFiles.events]) {
    const text = await readFile(file, 'utf8')
    for (const fault of ['unknown name', 'no name server', 'refused', 'cut handshake', 'expired certificate'])
      expect(text, file).toContain(`'${fault}'`)
  }
})
