/** The page of docs/ about the documented codes of both eSIM providers. */
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
    '| code | the vendor says | ours | outcome | who acts | effect on the order |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  return [...head, ...rows.sort()].join('\n')
}

test('docs/esim-provider-codes.md agrees with the code tables', async () => {
  const text = `# Codes of the eSIM providers

Generated from \`providers/esim-codes.ts\`. After a change there: \`npx vitest run test/providers/esim-codes.test.ts -u\`.

A code in neither table is an unknown outcome: the order is looked for, retried within the promised hour, and shown to
operators. The same is true for every HTTP status except 429 (not applied; its Retry-After is used within the promised
hour), 401 and 403 (our credentials or address), and 5xx and lost connections (perhaps applied). A call without a connection
was not applied; a certificate that is not accepted is shown to operators, too. A second provider is asked only when the first one certainly holds nothing.

An order is refunded as out of stock only when every provider that has the package said \`out_of_stock\`,
\`unknown_package\` or \`price_changed\`.

## eSIM Access

${table(esimAccessCodes)}

## Airalo

A number is the \`code\` in the body of a 422 (89: of a 403); a name is a field that the validation refuses.

${table(airaloCodes)}
`
  await expect(text).toMatchFileSnapshot('../../docs/esim-provider-codes.md')
})
