/** Which language a person gets, through the API: of their account, of their browser, or English. */
import { expect, test } from 'vitest'
import { mailsTo, pushesTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { seededUuid } from '../harness/seed.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()

async function languageAfter(fields: Record<string, unknown>, acceptLanguage: string | null): Promise<string> {
  const body = { email: `${seededUuid()}@people.example`, firstName: 'Ada', lastName: 'Byron', ...fields }
  return expectStatus(await harness.service.post('/v1/accounts', body, { 'accept-language': acceptLanguage }), 201)
    .language
}

test('an account has the language of its sign-up, else of Accept-Language by weight, else English', async () => {
  expect(await languageAfter({ language: 'de' }, 'sq')).toBe('de')
  expect(await languageAfter({}, 'fr, de-AT;q=0.5, sq-XK;q=0.9')).toBe('sq')
  expect(await languageAfter({}, 'fr;q=0.9')).toBe('en')
  expect(await languageAfter({}, 'de;q=0, *')).toBe('en')
  expect(await languageAfter({}, null)).toBe('en')
  const unknown = { email: 'x@people.example', firstName: 'A', lastName: 'B', language: 'fr' }
  expect(expectStatus(await harness.service.post('/v1/accounts', unknown), 400).errors[0].field).toBe('language')
})

test('mails and pushes are in the language that the account has when they are sent', async () => {
  const person = await harness.signUp({ account: { language: 'de' } })
  await harness.buy(person)
  const subjects = async () => (await mailsTo(harness.stack, person.email)).map(({ subject }) => subject)
  await until('the mail', async () =>
    (await subjects()).some((subject) => subject.startsWith('Ihre eSIM ist bereit: ')),
  )
  const pushes = async () =>
    (await pushesTo(harness.stack, person.pushToken)).map(({ message }) => message.notification?.title)
  await until('the push', async () => (await pushes()).includes('Ihre eSIM ist bereit'))
})

test('a person changes the language of their account, which the export and later mails have', async () => {
  const person = await harness.signUp({ account: { language: 'de' } })
  const subjects = async () => (await mailsTo(harness.stack, person.email)).map(({ subject }) => subject)
  const path = `/v1/accounts/${person.accountId}`
  expect(expectStatus(await person.caller.patch(path, { language: 'sq' }), 200).language).toBe('sq')
  const exported = expectStatus(await person.caller.get(`${path}/export`), 200)
  expect(exported.account.language).toBe('sq')

  expectStatus(await person.caller.post(`${path}/email-change`, { email: `new-${person.email}` }), 202)
  await until('both mails', async () => (await subjects()).includes('A dëshironi ta ndryshoni adresën tuaj?'))
  expectStatus(await person.caller.delete(path), 200)
  await until('the last mail', async () => (await subjects()).includes('Llogaria juaj është fshirë'))
})
