/** The text of RESULTS.md. */
import type { MutantOutcome, Results } from './results.ts'
import { type Counts, scoreOf, total } from './results.ts'
import { reasonOf } from './survivors.ts'

const whatOf: Record<string, string> = {
  policy: 'prices, regions, figures’ limits, urgency of tasks, roles, scopes, consents',
  tax: 'VAT, CSV, DATEV, split of tax',
  money: 'acceptance of payments, states and sums of refunds, offers',
  erasure: 'what an erasure needs at each holder of data, what it searches for, claims to money',
  time: 'calendar, withdrawal period, deadlines, turns, the life of an eSIM',
  keys: 'encryption of columns and backups, signatures, tokens',
  figures: 'the evidence figures, met by the planted violations of docs/planted-violations.md',
  versioning: 'which build of the worker continues an open run',
  workflows:
    'all workflows, met by the kept histories: a run does not replay, or asks, answers, shows or refuses something else',
}

/** @returns Markdown */
export function documentOf(results: Results): string {
  const all = total(Object.values(results).flatMap(({ files }) => Object.values(files)))
  const rows = Object.entries(results).flatMap(([part, { at, files, every }]) => [
    row(
      `**${part}** (${at}): ${whatOf[part] ?? ''}${every ? `; one in ${every} mutants` : ''}`,
      total(Object.values(files)),
    ),
    ...Object.entries(files)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([file, counts]) => row(`\`${file}\``, counts)),
  ])
  const alive = Object.values(results).flatMap((part) => part.alive)
  const explained = alive.filter((mutant) => reasonOf(mutant) !== undefined)
  const open = alive.filter((mutant) => reasonOf(mutant) === undefined)
  const missing = Object.keys(whatOf).filter((part) => !(part in results))
  return `# Mutation score

Made by \`npm run mutation\`. Each mutant is one small change of a source. *Noticed*: a test fails with it. The score is the
share of noticed mutants in all that were tried. Left out are changes with which the source does not load, and of the
figures those of tables, which are evaluated once. The day is that of the run.

**All: ${scoreOf(all)} % of ${all.killed + all.survived + all.notReached} mutants;** ${scoreOf({ ...all, survived: open.length, notReached: 0 })} % without the ${explained.length} explained below. ${open.length} are open.

| sources | score | noticed | survived | not reached | left out |
|---|---|---|---|---|---|
${rows.join('\n')}

${missing.length === 0 ? '' : `Not run yet: ${missing.join(', ')}.\n`}
## Explained

${explained.length === 0 ? 'None.' : list(explained, true)}

## Open

${open.length === 0 ? 'None.' : list(open, false)}
`
}

const row = (name: string, counts: Counts): string =>
  `| ${[name, `${scoreOf(counts)} %`, counts.killed, counts.survived, counts.notReached, counts.leftOut].join(' | ')} |`

function list(mutants: readonly MutantOutcome[], withReason: boolean): string {
  return mutants
    .map((mutant) => {
      const { file, line, original, replacement, outcome } = mutant
      const reason = withReason ? `: ${reasonOf(mutant)}` : ` (${outcome})`
      return `- \`${file}:${line}\` ${code(original)} → ${code(replacement)}${reason}`
    })
    .join('\n')
}

/** A text on one line, in backticks, cut. */
function code(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll('`', 'ˋ')
  return `\`${line.length > 90 ? `${line.slice(0, 90)}…` : line || ' '}\``
}
