/** The documented codes of both eSIM vendors, as docs/ tells of them. */
import { expect, test } from 'vitest'
import { airaloCodes, type CodeMeaning, esimAccessCodes } from '../../providers/esim-codes.ts'

const outcomes: Record<CodeMeaning['kind'], string> = {
  unavailable: 'may pass; not applied',
  unknown_outcome: 'may pass; perhaps applied',
  misconfigured: 'lasts until somebody acts; not applied',
  rejected: 'refused; not applied',
}

function table(codes: Record<string, CodeMeaning>): string {
  const rows = Object.entries(codes).map(
    ([key, { says, code, kind, acts, customer }]) =>
      `| ${key} | ${says} | \`${code}\` | ${outcomes[kind]} | ${acts} | ${customer} |`,
  )
  const head = [
    '| code | the vendor says | ours | outcome | who acts | whoever ordered |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  return [...head, ...rows.sort()].join('\n')
}

test('docs/esim-provider-codes.md agrees with the code tables', async () => {
  const text = `# Codes of the eSIM providers

Made from \`providers/esim-codes.ts\`; after a change there: \`npx vitest run test/providers/esim-codes.test.ts -u\`.

What stands in neither table may pass and was perhaps applied: it is looked for, asked again within the promised hour, and
shown to operators. So is any HTTP status but these: 429 (not applied; its Retry-After holds as far as the promised hour
allows), 401 and 403 (our credentials or address), 5xx and lost connections (perhaps applied). A connection that never came
about was not applied. A second provider is asked only where the first one certainly holds nothing.

An order is refunded as out of stock only when every provider that has the package said \`out_of_stock\`,
\`unknown_package\` or \`price_changed\`.

## eSIM Access

${table(esimAccessCodes)}

## Airalo

Numbers are \`code\` in the body of a 422 (89: of a 403), names are fields that the validation refuses.

${table(airaloCodes)}
`
  await expect(text).toMatchFileSnapshot('../../docs/esim-provider-codes.md')
})
