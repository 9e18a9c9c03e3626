/**
 * The pages of docs/codes/ are made of the tables that the adapters use:
 * `npx vitest run test/providers/codes/pages.test.ts -u`.
 */
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { appleCodes, appleEvents } from '../../../providers/codes/apple.ts'
import { airaloCodes, esimAccessCodes } from '../../../providers/codes/esim.ts'
import {
  airaloOrderStatuses,
  airaloUsageStatuses,
  esimAccessEvents,
  esimAccessProfileStatuses,
  esimAccessStatuses,
} from '../../../providers/codes/esim-values.ts'
import { fcmCodes, identityToolkitCodes, legacyFcmCodes } from '../../../providers/codes/firebase.ts'
import { googleEvents, googleRevocationCodes, serviceAccountCodes } from '../../../providers/codes/google.ts'
import { type CodeMeaning, lookUp, type ValueMeaning } from '../../../providers/codes/meaning.ts'
import { metaCodes } from '../../../providers/codes/measurement.ts'
import { enhancedCodes, replyCodes, type SmtpMeaning } from '../../../providers/codes/smtp.ts'
import { stripeCodes, stripeDeclineCodes, stripeErrorTypes } from '../../../providers/codes/stripe.ts'
import {
  cancellationReasons,
  disputeReasons,
  fraudTypes,
  redactionProblems,
  refundFailures,
} from '../../../providers/codes/stripe-reasons.ts'
import {
  disputeStatuses,
  eventTypes,
  paymentStatuses,
  pendingReasons,
  redactionStatuses,
  refundStatuses,
} from '../../../providers/codes/stripe-values.ts'

const outcomes: Record<CodeMeaning['kind'], string> = {
  unavailable: 'transient; not applied',
  unknown_outcome: 'transient; perhaps applied',
  misconfigured: 'transient, until the cause is mended; not applied',
  rejected: 'final; not applied',
}

const rows = (head: string[], body: string[][]): string =>
  [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const codeTable = (codes: Readonly<Record<string, CodeMeaning>>): string =>
  rows(
    ['code', 'the vendor says', 'ours', 'outcome', 'who acts', 'the customer'],
    Object.entries(codes)
      .map(([key, { says, code, kind, acts, customer }]) => [key, says, `\`${code}\``, outcomes[kind], acts, customer])
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  )

const valueTable = (values: Readonly<Record<string, ValueMeaning>>): string =>
  rows(
    ['value', 'meaning', 'lasts', 'who acts', 'the customer'],
    Object.entries(values).map(([key, { says, lasts, acts, customer }]) => [key, says, lasts, acts, customer]),
  )

const stateTable = (values: Readonly<Record<string, ValueMeaning & { state: string }>>): string =>
  rows(
    ['value', 'meaning', 'ours', 'lasts', 'who acts', 'the customer'],
    Object.entries(values).map(([key, { says, state, lasts, acts, customer }]) => [
      key,
      says,
      `\`${state}\``,
      lasts,
      acts,
      customer,
    ]),
  )

const customers: Record<SmtpMeaning['about'], string> = {
  address: 'no more mails; is asked for another address in the app, which shows everything',
  mailbox: 'the mail, once the mailbox takes it; the app shows everything meanwhile',
  'mail system': 'the mail, once the mail system takes it; the app shows everything meanwhile',
  us: 'the mail, once the cause is mended; the app shows everything meanwhile',
  mail: 'the mail, once the cause is mended; the app shows everything meanwhile',
}
const isForNow = (key: string): boolean => key.startsWith('4') && key.length === 3
const lastsOf = (key: string, { about, acts }: SmtpMeaning): string => {
  if (isForNow(key)) return 'transient'
  if (about === 'address') return 'final'
  return acts === 'nobody' ? 'transient' : 'tried hourly for three days, then final'
}

const smtpTable = (codes: Record<string, SmtpMeaning>, prefix: string): string =>
  rows(
    ['code', 'the RFC says', 'concerns', 'outcome', 'who acts', 'the customer'],
    Object.entries(codes).map(([key, meaning]) => [
      `${prefix}${key}`,
      meaning.says,
      meaning.about,
      lastsOf(key, meaning),
      isForNow(key) ? 'nobody' : meaning.acts,
      customers[meaning.about],
    ]),
  )

const made = (sources: string): string => `Made from ${sources}; after a change there:
\`npx vitest run test/providers/codes/pages.test.ts -u\`. What the columns mean, and what becomes of a code in no table:
[all vendors](README.md).`

const pages: Record<string, string> = {
  'esim-access': `# Codes of eSIM Access

${made('`providers/codes/esim.ts` and `providers/codes/esim-values.ts`')}

The order of an unlisted code is looked for, retried within the promised hour, and shown to operators. The same is true for
every HTTP status except 429 (not applied; its Retry-After is used within the promised hour), 401 and 403 (our credentials or
address), and 5xx and lost connections (perhaps applied). A call without a connection was not applied; a certificate that is
not accepted is shown to operators, too. A second provider is asked only when the first one certainly holds nothing.

An order is refunded as out of stock only when every provider that has the package said \`out_of_stock\`,
\`unknown_package\` or \`price_changed\`.

${codeTable(esimAccessCodes)}

## Statuses of an eSIM (\`esimStatus\`)

A status that no table has counts as not known: nothing is refunded or returned because of it, the eSIM is asked for again, and
operators see it.

${stateTable(esimAccessStatuses)}

## Statuses of its profile (\`smdpStatus\`)

They decide where \`esimStatus\` is \`GOT_RESOURCE\`, and \`DELETED\` decides while the eSIM is neither over nor suspended.

${stateTable(esimAccessProfileStatuses)}

## Notifications (\`notifyType\`)

Each is only a hint to ask. Others are ignored, and operators see them.

${valueTable(esimAccessEvents)}
`,
  airalo: `# Codes of Airalo

${made('`providers/codes/esim.ts` and `providers/codes/esim-values.ts`')}

A number is the \`code\` in the body of a 422 (89: of a 403); a name is a field that the validation refuses. HTTP statuses
count as at [eSIM Access](esim-access.md).

${codeTable(airaloCodes)}

## Statuses of an eSIM’s usage

A status that no table has counts as \`UNKNOWN\`, and operators see it.

${stateTable(airaloUsageStatuses)}

## Statuses of an order

The reconciliation reads them, and the search for an order or a top-up whose answer was lost: one that was not filled counts as not placed.
Of a status that no table has it is not known whether the eSIM is alive, and operators see it.

${valueTable(airaloOrderStatuses)}
`,
  smtp: `# Codes of mail servers

${made('`providers/codes/smtp.ts`')}

A reply has a code of three digits (RFC 5321) and mostly an enhanced status code (RFC 3463). \`4xx\` may pass: the mail is
tried again for three days. Of \`5xx\` the enhanced status code decides: only a listed \`5.1.x\` that names
the destination says that the person’s address takes no mail, and marks it. Everything else is a refusal of us, of the mail or
of the moment: operators get a task at once, the mail is tried hourly for three days, and after that the order, the
request or the notice becomes an operator task of its own. So is \`5xx\` to a command before \`RCPT TO\`, which does not know the
recipient.

A delivery status notification (RFC 3464) has the same enhanced status codes. The mail that it is about is shown as failed;
such a \`5.1.x\` marks the address, and for any other \`5.x.x\` operators get a task and may send the mail again.

An unlisted detail means what detail 0 of its subject means.

## Enhanced status codes

${smtpTable(enhancedCodes, '5.')}

## Replies without an enhanced status code

${smtpTable(replyCodes, '')}
`,
  stripe: `# Codes of Stripe

${made('`providers/codes/stripe.ts`, `providers/codes/stripe-values.ts` and `providers/codes/stripe-reasons.ts`')}

The code decides; without one the type does, and for 401 and 403 the status. 409 and 429 were not applied; 5xx and lost
connections perhaps. Stripe keeps the first answer to an idempotency key for 24 hours: a stored 5xx, or a stored refusal
whose code nobody knows, is asked again under the next key.

## Error codes

${codeTable(stripeCodes)}

## Error types, for an error without a code

The code of ours is the HTTP status, such as \`http_400\`.

${rows(
  ['type', 'the vendor says', 'outcome', 'who acts', 'the customer'],
  Object.entries(stripeErrorTypes).map(([type, { says, kind, acts, customer }]) => [
    type,
    says,
    outcomes[kind],
    acts,
    customer,
  ]),
)}

## Decline codes

A declined card ends no payment: the customer may pay with another one until the payment is due. Stripe’s payment sheet or
page tells the customer; we neither store nor show the code. Of suspected fraud, of a lost or stolen card and of our block list
Stripe demands that the customer is shown no more than of \`generic_decline\`, since the customer may be the thief.

${codeTable(stripeDeclineCodes)}

## Statuses of a payment

${valueTable(paymentStatuses)}

## Statuses of a refund

${valueTable(refundStatuses)}

### Why a refund is pending

What an operator has to act on is the operator task \`provider_misconfigured\` with the code \`refund_pending_...\`, and so is a reason in no
table.

${valueTable(pendingReasons)}

## Statuses of a dispute

${valueTable(disputeStatuses)}

## Statuses of a redaction job

${valueTable(redactionStatuses)}

## Events

The object of an event is read at Stripe before anything is done, so that an event that is lost, late or doubled changes
nothing. Other events are ignored.

${rows(
  ['event', 'meaning', 'about', 'the customer'],
  Object.entries(eventTypes).map(([type, { says, about, customer }]) => [type, says, about, customer]),
)}

## Reasons, which decide nothing

No adapter reads these tables: a reason decides nothing, and one that is not here raises no alarm.

### Why a payment was cancelled

${valueTable(cancellationReasons)}

### Why a refund has failed

${valueTable(refundFailures)}

### Reasons of a dispute

${valueTable(disputeReasons)}

### Types of an early fraud warning

${valueTable(fraudTypes)}

### Why something cannot be redacted

${valueTable(redactionProblems)}
`,
  apple: `# Codes of Apple

${made('`providers/codes/apple.ts`')}

## Errors of \`/auth/token\` and \`/auth/revoke\`

A reply without one of Apple’s codes, such as the page of a proxy, counts as an unlisted code.

${codeTable(appleCodes)}

## Notifications

\`account-delete\`, as older documentation spells it, means \`account-deleted\`. A type in no table is refused, so that Apple
sends it again, and operators see it.

${valueTable(appleEvents)}
`,
  google: `# Codes of Google

${made('`providers/codes/google.ts`')} Those of Firebase: [Firebase](firebase.md).

## Errors of a revocation

${codeTable(googleRevocationCodes)}

## Errors of an access token for the service account

${codeTable(serviceAccountCodes)}

## Security events (Cross-Account Protection)

An event in no table is recorded in the security log, and operators see it.

${valueTable(googleEvents)}
`,
  firebase: `# Codes of Firebase

${made('`providers/codes/firebase.ts`')}

## Cloud Messaging

The client library takes every 404 for a dead token and every 403 for another project’s. Hence a refusal that may be about the
token is confirmed by a second request without content, and only an explicit code deletes the token.

${codeTable(fcmCodes)}

## Older names of Cloud Messaging

${codeTable(legacyFcmCodes)}

## Users (Identity Toolkit)

${codeTable(identityToolkitCodes)}
`,
  measurement: `# Codes of Meta and Google Analytics

${made('`providers/codes/measurement.ts`')}

Google Analytics answers each event with 2xx, also an invalid one; any other answer counts as an unlisted code. A purchase is
measured for three days at Google and seven at Meta, or never: nothing else depends on it. An error with \`is_transient\` is
transient for every code.

${codeTable(metaCodes)}
`,
}

test.each(Object.entries(pages))('docs/codes/%s.md agrees with its tables', async (name, text) => {
  await expect(text).toMatchFileSnapshot(`../../../docs/codes/${name}.md`)
})

test('docs/codes/ has no other pages than those of the tables, and the overview names each', async () => {
  const folder = new URL('../../../docs/codes/', import.meta.url)
  const known = Object.keys(pages).map((name) => `${name}.md`)
  const found = (await readdir(folder)).filter((file) => file !== 'README.md')
  // A page that `-u` has still to write is missed by the test above.
  expect(found.filter((file) => !known.includes(file))).toEqual([])
  const overview = await readFile(new URL('README.md', folder), 'utf8')
  for (const file of known) expect(overview).toContain(`](${file})`)
})

test('no code of Stripe’s is in two tables of errors', () => {
  const codes = [...Object.keys(stripeCodes), ...Object.keys(stripeDeclineCodes)]
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
})

test('a decline that Stripe wants to be shown generically is shown so', () => {
  const shownFor = (code: string) => stripeDeclineCodes[code]?.customer
  for (const code of ['fraudulent', 'lost_card', 'stolen_card', 'merchant_blacklist'])
    expect(shownFor(code), code).toBe('may pay again; is shown no more than of `generic_decline`')
})

test('a name that every object has is in no table', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
    expect(lookUp(stripeCodes, name)).toBeUndefined()
})
