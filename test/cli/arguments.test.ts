/** Each command of package.json refuses what it does not know before it does anything. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { startProgram } from '../harness/processes.ts'
import { commands } from './commands.ts'

/** It runs before sources of TypeScript can be loaded, and reads its one option by itself. */
const withoutSources = 'cli/start.mjs'

test.each(commands)('npm run $name reads its arguments as the others do', async ({ file }) => {
  if (file !== withoutSources) expect(await readFile(file, 'utf8')).toMatch(/^(const .* = )?readArguments\(/m)
})

test.each(commands)('npm run $name says which service does not answer, if it asks one', async ({ file }) => {
  const source = await readFile(file, 'utf8')
  if (/readConfigBeside\(/.test(source)) expect(source).toMatch(/^( *await run(?:Command|WithContext)\(|.*whyAway\()/m)
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
