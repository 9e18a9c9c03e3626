/** The page of docs/ about the differences between our books and those of outside parties. */
import { expect, test } from 'vitest'
import { periods } from '../../policy/periods.ts'
import { differenceKinds, explanations, tasksAbout } from '../../policy/reconciliation.ts'

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

test('docs/reconciliation.md agrees with policy/reconciliation.ts', async () => {
  const kinds = Object.entries(differenceKinds).map(([kind, { meaning, acts, cure }]) => [
    `\`${kind}\``,
    meaning,
    acts,
    `\`${cure.name}\`: ${cure.how}`,
  ])
  const rules = Object.entries(explanations).map(([rule, meaning]) => [`\`${rule}\``, meaning])
  const text = `# Reconciliation

Generated from \`policy/reconciliation.ts\`. After a change there: \`npx vitest run test/policy/reconciliation.test.ts -u\`.

Every night at 04:30 UTC, and by \`POST /v1/reconciliations\`, the workflow \`reconciliation\` reads what outside parties have
in their books and compares it with ours: Stripe's payments, refunds, disputes, balance, balance transactions and payouts,
the orders and balances of both eSIM providers, and the files of the backup store. It looks back ${periods.reconciliation.lookBackMs / 86_400_000} days,
after a silence as many from where the last complete one began. An older payment is looked at when something of it is younger, or when
it differed the last time, and a dispute as long as our books have it undecided. \`GET /v1/reconciliations/{id}\`
shows what it has found.

What differs is explained by a rule, or is an operator task of the same kind, whose detail has the reason and the name of
the cure. A payment that differs is read a second time before it is a task. The task goes when the difference has gone; a
task that an operator has closed comes back only when the difference becomes another one. What differs more than once about one
order, such as two further payments, is a difference each time; the task of the order names all of them. What has been in flight for
${periods.reconciliation.inFlightMs / 86_400_000} days is a task, too: no run of ours works that long. A party that is down for hours makes the reconciliation
\`incomplete\`: tasks are made of what was found, none is resolved, and \`reconciliation_incomplete\` is
a task itself.

## Differences

${table(['kind', 'what it means', 'who acts', 'cure'], kinds)}

## Explanations

${table(['rule', 'what it means'], rules)}

\`with_an_operator\` holds for these tasks:

${table(
  ['difference', 'tasks'],
  Object.entries(tasksAbout).map(([kind, tasks]) => [`\`${kind}\``, tasks.map((task) => `\`${task}\``).join(', ')]),
)}

## Sums

For each currency: gross − refunds − disputes − fees ± other = change of the balance + payouts. The change is that of Stripe's
balance since the last reading, and the rest comes from its balance transactions, by their reporting category. What is left is
\`processor_remainder\`. The first reading takes the balance as it is. \`provider_remainder\` compares each provider's balance
with our own count of what we have bought there (\`provider_spending\`), which an erasure does not change. Nobody but an operator
closes the task of a remainder: the next reading begins where this one has ended.

## Costs and balances

Each placement (\`provider_orders\`) has \`expected_cost_micros\`, the cost of our offer when the provider was asked, and
\`charged_micros\`, what the provider's own list says, both in millionths of a US dollar for all eSIMs of the placement. Airalo
says it (\`net_price\`); eSIM Access names no price, but its balance shows it.

Hourly the balances are read (schedule \`ama-provider-balances\`). A balance that lasts for fewer than ${periods.reconciliation.balanceLastsDays} days at the rate of the
last ${periods.reconciliation.spendingOverMs / 86_400_000} days is the operator task \`provider_balance_low\`, and the alert \`ProviderBalanceLow\`.

## Figures

The figures of U2, paid means delivered or refunded (\`unsettled_payments\`), of U6, the books are complete (\`unbooked_money\`), and
of R3, backups are kept for at most 30 days (\`oldest_backup\`, \`newest_backup\`), are read from what the newest
complete reconciliation, and the newest look into the backup store, have found there. After ${periods.reconciliation.staleAfterMs / 3_600_000} hours without one the
figures are unknown.
`
  await expect(text).toMatchFileSnapshot('../../docs/reconciliation.md')
})
