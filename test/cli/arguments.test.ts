/** Each command of package.json refuses what it does not know before it does anything. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { startProgram } from '../harness/processes.ts'
import { commands } from './commands.ts'

/** It runs before sources of TypeScript can be loaded, and reads its one option by itself. */
const withoutSources = 'cli/start.mjs'

const sources = await Promise.all(
  commands.map(async (each) => ({ ...each, source: await readFile(each.file, 'utf8') })),
)

test.each(sources.filter(({ file }) => file !== withoutSources))(
  'npm run $name reads its arguments as the others do',
  ({ source }) => {
    expect(source).toMatch(/^(const .* = )?readArguments\(/m)
  },
)

test('each command that asks a service says which one does not answer', () => {
  const asking = sources.filter(({ source }) => /readConfigBeside\(/.test(source))
  expect(asking.length).toBeGreaterThan(3)
  const silent = asking.filter(({ source }) => !/^( *await run(?:Command|WithContext)\(|.*whyAway\()/m.test(source))
  expect(silent.map(({ name }) => name)).toEqual([])
})

const ask = async (...args: string[]) => {
  const program = startProgram(process.execPath, args)
  const { code } = await program.ended
  return [code, program.output()]
}

test('npm start takes --reload alone, and starts nothing when it is asked for something else', async () => {
  const usage = 'Usage: npm start\n  npm run dev   also restarts API and worker when a file is saved\n'
  expect(await ask(withoutSources, '--relaod')).toEqual([2, `Unexpected argument '--relaod'.\n${usage}`])
  expect(await ask(withoutSources, '--help')).toEqual([0, usage])
})

test('a command says what is wrong with its arguments, how it is asked, and ends with code 2', async () => {
  // Without a file there is no place for its name in the arguments.
  const source = `
    import { readArguments } from './shared/process/arguments.ts'
    process.argv.splice(1, 0, 'it')
    const { values } = readArguments('Usage: npm run it', { text: { type: 'string' } })
    console.log(values.text)`
  const it = (...args: string[]) => ask('--import', 'tsx', '--input-type=module', '--eval', source, '--', ...args)
  const answers = await Promise.all([it('--text', 'a'), it('--texxt', 'a'), it('--text'), it('a')])
  expect(answers).toEqual([
    [0, 'a\n'],
    [2, "Unknown option '--texxt'.\nUsage: npm run it\n"],
    [2, "Option '--text <value>' argument missing.\nUsage: npm run it\n"],
    [2, "Unexpected argument 'a'.\nUsage: npm run it\n"],
  ])
})
