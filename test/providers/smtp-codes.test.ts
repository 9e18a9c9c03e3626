/** The documented codes of mail servers, as docs/ lists them. */
import { expect, test } from 'vitest'
import { addressIsDead, enhancedCodes, replyCodes, type SmtpMeaning } from '../../providers/mail/smtp-codes.ts'

const customers: Record<SmtpMeaning['about'], string> = {
  address: 'no more mails; is asked for another address in the app, which shows everything',
  mailbox: 'the mail, once the mailbox takes it; the app shows everything meanwhile',
  'mail system': 'the mail, once the mail system takes it; the app shows everything meanwhile',
  us: 'the mail, once somebody has acted; the app shows everything meanwhile',
  mail: 'the mail, once somebody has acted; the app shows everything meanwhile',
}
const lasts = (key: string, { about, acts }: SmtpMeaning): string => {
  if (key.startsWith('4') && key.length === 3) return 'transient'
  if (about === 'address') return 'final'
  return acts === 'nobody' ? 'transient' : 'tried hourly for three days, then final'
}

function table(codes: Record<string, SmtpMeaning>, prefix: string): string {
  const rows = Object.entries(codes).map(([key, meaning]) => {
    const acts = key.startsWith('4') && key.length === 3 ? 'nobody' : meaning.acts
    return `| ${prefix}${key} | ${meaning.says} | ${meaning.about} | ${lasts(key, meaning)} | ${acts} | ${customers[meaning.about]} |`
  })
  return [
    '| code | meaning | concerns | lasts | who acts | the customer gets |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

test('docs/smtp-codes.md agrees with the code tables', async () => {
  const text = `# Codes of mail servers

Made from \`providers/mail/smtp-codes.ts\`; after a change there: \`npx vitest run test/providers/smtp-codes.test.ts -u\`.

A reply has a code of three digits (RFC 5321) and mostly an enhanced status code (RFC 3463). \`4xx\` may pass: the mail is
tried again for three days. Of \`5xx\` the enhanced status code decides: only \`5.1.x\`, but for the sender\u2019s address in
\`5.1.7\` and \`5.1.8\`, says that the person\u2019s address takes no mail, and marks it. Everything else is a refusal of us, of the
mail or of the moment: operators get a task at once, the mail is tried hourly for three days, and after that the order, the
request or the notice becomes a separate operator task. So is \`5xx\` to a command before \`RCPT TO\`, which does not know the
recipient.

A delivery status notification (RFC 3464) has the same enhanced status codes. The mail that it is about is shown as failed;
\`5.1.x\` marks the address, and for any other \`5.x.x\` operators get a task and may send the mail again.

An unlisted detail means what detail 0 of its subject means.

## Enhanced status codes

${table(enhancedCodes, '5.')}

## Replies without an enhanced status code

${table(replyCodes, '')}
`
  await expect(text).toMatchFileSnapshot('../../docs/smtp-codes.md')
})

test.each([
  ['5.1.1', true],
  ['5.1.99', true],
  ['4.1.1', false],
  ['5.1.8', false],
  ['5.2.1', false],
  ['5.7.1', false],
  ['5.99.1', false],
])('a notification with %s: the address is dead: %s', (status, dead) => {
  expect(addressIsDead(status)).toBe(dead)
})
