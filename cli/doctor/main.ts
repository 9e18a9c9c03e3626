/**
 * `npm run doctor`: checks every setting, and asks each service and outside party once. It changes nothing. All faults
 * are named at once, each with its remedy; the exit code is 1 when there is one. `-- --settings` explains every
 * setting.
 */
import { inspectConfig } from '../../config.ts'
import { readArguments } from '../../shared/process/arguments.ts'
import { environmentBeside } from '../running-stack.ts'
import { wrapped } from '../terminal-lines.ts'
import { explanationOf, explanations } from './explanations.ts'
import { type Finding, linesOfFinding } from './finding.ts'
import { checkParties } from './parties.ts'
import { checkStores } from './stores.ts'

const { values } = readArguments(
  `Usage: npm run doctor
  npm run doctor -- --settings   explains every setting`,
  { settings: { type: 'boolean', default: false } },
)
// What is written to a file stays one line for each finding, so that it can be searched.
const columns = process.stdout.columns ?? Number.POSITIVE_INFINITY
if (values.settings) {
  for (const [name, text] of Object.entries(explanations))
    console.log([name, ...wrapped('    ', text, columns)].join('\n'))
} else {
  process.exitCode = await examine()
}
// A party that does not answer would keep its connection, and the process, for minutes.
process.exit()

/** @returns the exit code */
async function examine(): Promise<number> {
  const environment = await environmentBeside(process.env)
  const { config, faults } = inspectConfig(environment)
  const settings = faults.map(({ setting, fault }): Finding => {
    const remedy = explanationOf(setting)
    return { about: setting, state: 'fault', detail: fault, ...(remedy !== undefined && { remedy }) }
  })
  if (faults.length === 0) settings.push({ about: 'settings', state: 'ok', detail: 'all are there and well formed' })
  const asked = await Promise.all([checkStores(config, environment), checkParties(config)])
  const findings = [...settings, ...asked.flat()]
  const width = Math.max(...findings.map(({ about }) => about.length))
  for (const finding of findings) console.log(linesOfFinding(finding, width, columns).join('\n'))
  const count = (state: Finding['state']): number => findings.filter((each) => each.state === state).length
  const unasked = count('not_asked') > 0 ? `, ${count('not_asked')} not asked` : ''
  console.log(count('fault') === 0 ? `\nNo fault${unasked}.` : `\nFaults: ${count('fault')}${unasked}.`)
  return count('fault') === 0 ? 0 : 1
}
