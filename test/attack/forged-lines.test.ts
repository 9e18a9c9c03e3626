/**
 * What a person or a program writes stands on a line with our words: at the console, in mails, in a terminal. None of it
 * ends the line, steers the terminal, or changes the order in which our words are shown.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toAccount } from '../../activities/sending/send-mail.ts'
import { profileForm } from '../../api/views/account-fields.ts'
import { withdrawalRequest } from '../../api/views/withdrawal-view.ts'
import { linesOf, printable } from '../../cli/terminal-lines.ts'
import { updateAccount } from '../../db/accounts.ts'
import { putDevice } from '../../db/devices.ts'
import { asOneLine, isVisible } from '../../shared/text/one-line.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'
import { createSurfer } from '../harness/browser.ts'

let harness: ApiHarness
let service: string
beforeAll(async () => {
  harness = await startApiHarness()
  service = await harness.key('service')
})
afterAll(() => harness.stop())

/** By what they do beside a text of ours. */
const directing: Record<string, string> = {
  'reads from right to left': 'Ann\u202e).dnuofer',
  'closes an isolate of ours': 'Ann\u2069x',
  'opens an embedding': 'Ann\u202bx',
  'marks a direction': 'Ann\u200fx',
  'marks an Arabic direction': 'Ann\u061cx',
}
const breaking: Record<string, string> = {
  'begins a line': 'Ann\nState: refunded',
  'begins a line by a separator': 'Ann\u2028State: refunded',
  'begins a paragraph': 'Ann\u2029State: refunded',
  'begins a line by a control of its own': 'Ann\u0085State: refunded',
  'clears a terminal': 'Ann\u001b[2J',
  'steers a terminal by one byte': 'Ann\u009b2J',
}
const forging = { ...directing, ...breaking }
const unseen: Record<string, string> = {
  'has no width': '\u200b',
  'is a filler': '\u3164',
  'is a soft hyphen': '\u00ad',
  'is a tag': '\u{e0041}',
  'is blank': '\u2800',
  'is a joiner of nothing': '\u200d\ufe0f',
  'is a mark of direction': '\u200f',
}
const hostile = Object.entries({ ...breaking, ...unseen })

async function signUp(): Promise<string> {
  const answer = await harness.call('POST', '/v1/accounts', { token: service, body: newPerson() })
  expect(answer.status, answer.text).toBe(201)
  return answer.body.id
}

test.each(hostile)(
  'a name that %s is refused at the sign-up, at each correction and in a withdrawal',
  async (_what, name) => {
    const body = { ...newPerson(), firstName: name }
    const made = await harness.call('POST', '/v1/accounts', { token: service, body })
    expect([made.status, made.body.errors?.map(({ field }) => field)]).toEqual([400, ['firstName']])
    const id = await signUp()
    const changed = await harness.call('PATCH', `/v1/accounts/${id}`, { token: service, body: { lastName: name } })
    expect([changed.status, changed.body.errors?.map(({ field }) => field)]).toEqual([400, ['lastName']])
    expect(profileForm.safeParse({ firstName: 'Ann', lastName: name, phone: '' }).success).toBe(false)
    expect(withdrawalRequest.safeParse({ name }).success).toBe(false)
  },
)

test.each(Object.entries(directing))(
  'a name that %s is taken without that at the sign-up, at each correction and in a withdrawal',
  async (_what, name) => {
    const plain = asOneLine(name)
    const body = { ...newPerson(), firstName: name }
    const made = await harness.call('POST', '/v1/accounts', { token: service, body })
    expect([made.status, made.body.firstName]).toEqual([201, plain])
    const path = `/v1/accounts/${made.body.id}`
    const changed = await harness.call('PATCH', path, { token: service, body: { lastName: name } })
    expect([changed.status, changed.body.lastName]).toEqual([200, plain])
    expect(profileForm.parse({ firstName: 'Ann', lastName: name, phone: '' }).lastName).toBe(plain)
    expect(withdrawalRequest.parse({ name }).name).toBe(plain)
  },
)

test.each([
  'Ольга',
  'עֲדִינָה',
  'محمد\u200cرضا',
  'Nguyễn Thị Ánh',
  "O'Brien-Łukasz",
  '李',
  'สมชาย',
  'ক্\u200dষমা',
  'José Mª 2.º',
  'प्रिया',
  'தமிழ்ச்செல்வி',
  '김민준',
  'さくら',
  'Γεώργιος',
  'Հայկ',
  'ნინო',
  'ሰላም',
  'Þórður',
  'D’Angelo',
  'Kahoʻolawe',
  'Jr.',
  '-',
  '.',
  '—',
  '🦊',
  '👩🏽‍🚀',
])('the name %s is taken as it is', (name) => {
  const form = { firstName: name, lastName: name, phone: null }
  expect(profileForm.parse({ ...form, phone: '' })).toEqual(form)
})

test.each(['\u200eDana', 'דנה\u200f', '\u061cمحمد', '\u2068فاطمة\u2069'])(
  'a name that a phone fills in with marks of direction is taken without them: %j',
  (name) => {
    const { firstName } = profileForm.parse({ firstName: name, lastName: name, phone: '' })
    expect([firstName, firstName.length]).toEqual([asOneLine(name), name.match(/\p{L}/gu)?.length])
  },
)

test('first and last name at their longest are the name of a withdrawal', () => {
  const name = `${'a'.repeat(100)} ${'b'.repeat(100)}`
  expect(withdrawalRequest.parse({ name })).toEqual({ name })
  expect(withdrawalRequest.safeParse({ name: `${name}c` }).success).toBe(false)
})

test('who has a name from before lines were refused corrects the phone number with the names that they are shown', async () => {
  const { api } = harness
  const id = await signUp()
  const changes = { firstName: 'Ann\u202e', lastName: 'Lee\u2028x' }
  await updateAccount(api.sql, api, { id, expectedVersion: undefined, changes, at: new Date() })
  const path = `/v1/accounts/${id}`
  const { firstName, lastName } = (await harness.call('GET', path, { token: service })).body
  const corrected = { firstName, lastName, phone: '+41791234567' }
  const changed = await harness.call('PATCH', path, { token: service, body: corrected })
  expect([changed.status, changed.body]).toMatchObject([200, { firstName: 'Ann', lastName: 'Lee x' }])
})

test('what a phone says of itself is stored without what a line must not have', async () => {
  const id = await signUp()
  const path = `/v1/accounts/${id}/devices/phone`
  const said = { model: ' Pixel\r\n9\u202e ', osVersion: '1\u001b[2J6', appVersion: '1.0\u2028' }
  const put = await harness.call('PUT', path, { token: service, body: { platform: 'android', ...said } })
  expect([put.status, put.body]).toEqual([
    200,
    expect.objectContaining({ model: 'Pixel 9', osVersion: '1[2J6', appVersion: '1.0' }),
  ])
  const nothing = await harness.call('PUT', path, { token: service, body: { platform: 'android', model: '\u202e' } })
  expect([nothing.status, nothing.body.errors?.map(({ field }) => field)]).toEqual([400, ['model']])
})

test('what was stored before is shown on one line at the console, and greeted on one line in mails', async () => {
  const { api } = harness
  const id = await signUp()
  const changes = { firstName: 'Ann\u202e', lastName: 'Lee\u2028x' }
  await updateAccount(api.sql, api, { id, expectedVersion: undefined, changes, at: new Date() })
  await putDevice(api.sql, api, id, {
    deviceId: 'phone',
    platform: 'ios',
    pushToken: null,
    appVersion: '1\u2029',
    model: 'iPhone\u202e',
    osVersion: '26\u0085',
    appInstanceId: null,
    seenAt: new Date(),
  })
  const surfer = createSurfer(harness.url)
  expect((await surfer.post('/console/sign-in', { key: await harness.key('operator') })).status).toBe(303)
  const { status, html } = await surfer.open(`/console/accounts/${id}`)
  expect([status, html]).toEqual([200, expect.stringContaining('Account of Ann Lee x')])
  expect(html).toContain('ios, iPhone, 26')
  // Lines of the page itself end by a line feed alone.
  expect(html.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u)
  const greeted = await toAccount(api, id, ({ firstName, lastName }) => ({
    subject: `${firstName} ${lastName}`,
    html: '',
    text: '',
  }))
  expect(greeted?.mail.subject).toBe('Ann Lee x')
})

test('an endpoint is stored and shown at the address that is called', async () => {
  const url = 'https://hooks.example/\u202eelpmaxe\\a b'
  const headers = { 'idempotency-key': 'one' }
  const made = await harness.call('POST', '/v1/webhook-endpoints', { token: service, headers, body: { url } })
  expect([made.status, made.body.url]).toEqual([201, 'https://hooks.example/%E2%80%AEelpmaxe/a%20b'])
})

describe('in a terminal', () => {
  test.each(Object.entries(forging))('a text that %s is written out', (_what, text) => {
    expect(asOneLine(printable(text))).toBe(printable(text))
    expect(printable(text)).toMatch(/^Ann\\u[0-9a-f]{4}/)
    const json = printable(JSON.stringify({ text }))
    expect([JSON.parse(json), asOneLine(json)]).toEqual([{ text }, json])
  })

  test('the lines of a message do not pass for fields', () => {
    const message = 'Hello\r\nstate: answered\n\u001b[1Aanswer: granted'
    expect(
      linesOf({
        id: 'a',
        message,
        state: 'open',
        items: ['a\nb', { c: 'd\u202e', e: null }],
        none: [],
        more: { f: 1 },
      }),
    ).toEqual([
      'id: a',
      'message:',
      '  | Hello',
      '  | state: answered',
      '  | \\u001b[1Aanswer: granted',
      'state: open',
      'items:',
      '  a\\u000ab',
      '  d\\u202e',
      'none: none',
      'more:',
      '  f: 1',
    ])
  })
})

test.each(Object.entries(unseen))('nobody sees a text that %s', (_what, text) => {
  expect([isVisible(text), isVisible(`${text}a`)]).toEqual([false, true])
})
