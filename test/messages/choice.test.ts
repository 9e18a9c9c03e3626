/** Which language a person gets, through the API: of their account, of their browser, or English. */
import { expect, test } from 'vitest'
import { ownAddress } from '../../api/routes/web/language.ts'
import { createSurfer } from '../harness/browser.ts'
import { mailsTo, pushesTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { seededUuid } from '../harness/seed.ts'
import { until } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

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

test('a page has the language that was chosen in the browser, else of the account, else of Accept-Language', async () => {
  const site = harness.urls.api
  const titleFor = async (language: string) => {
    const answer = await fetch(`${site}/delete-account`, { headers: { 'accept-language': language } })
    const html = await answer.text()
    expect(answer.headers.get('vary')).toBe('Accept-Language, Cookie')
    expect(html).toContain(`<html lang="${answer.headers.get('content-language')}">`)
    return /<h1>(.*?)<\/h1>/.exec(html)?.[1]
  }
  expect(await titleFor('de-CH, en;q=0.5')).toBe('Ihr Konto löschen')
  expect(await titleFor('sq')).toBe('Fshini llogarinë tuaj')
  expect(await titleFor('fr')).toBe('Delete your account')

  const person = await harness.signUp({ account: { language: 'sq' } })
  const surfer = await visit(harness.stack, person)
  expect((await surfer.open('/delete-account')).html).toContain('Fshijeni llogarinë time tani')
  const switched = await surfer.open('/language?to=de&next=%2Fdelete-account%3Fx%3D1')
  expect([switched.status, switched.location]).toEqual([303, '/delete-account?x=1'])
  const page = await surfer.open('/delete-account')
  expect(page.headers.get('content-language')).toBe('de')
  expect(page.html).toContain('href="/language?to=sq&amp;next=%2Fdelete-account"')
  expect(page.html).toContain('aria-current="true">Deutsch</a>')

  expect((await surfer.submit('/account/data', '/account/language', { language: 'en' })).status).toBe(303)
  expect((await surfer.open('/account/data')).html).toContain('Your language is saved.')
  expect((await surfer.open('/delete-account')).html).toContain('Delete my account now')
  const account = expectStatus(await person.caller.get(`/v1/accounts/${person.accountId}`), 200)
  expect(account.language).toBe('en')
})

test('the page of a mailed link has the language of its account', async () => {
  const person = await harness.signUp({ account: { language: 'de' } })
  expectStatus(
    await person.caller.post(`/v1/accounts/${person.accountId}/email-change`, { email: `new-${person.email}` }),
    202,
  )
  const mail = await until('the mail', async () => (await mailsTo(harness.stack, person.email)).at(-1))
  const path = new URL(/https?:\S+\/email-change\/[\w-]+/.exec(mail.text)?.[0] ?? '').pathname
  expect((await createSurfer(harness.urls.api).open(path)).html).toContain('<h1>Die Adresse Ihres Kontos ändern?</h1>')
})

test('the switch of the language leads to no other site', () => {
  const site = 'https://ama-esim.example'
  const own = ['/', '/i/abc?device=ios', '/privacy/2026-11-28']
  expect(own.map((next) => ownAddress(next, site))).toEqual(own)
  const others = [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    'evil',
  ]
  expect(others.map((next) => ownAddress(next, site))).toEqual(others.map(() => '/'))
})

test('the title of a problem is in the language of the request, and its type and code are not', async () => {
  const refused = async (language: string) =>
    harness.anonymous.get(`/v1/accounts/${seededUuid()}`, { 'accept-language': language })
  const [english, german, albanian] = [await refused('en'), await refused('de'), await refused('sq, de;q=0.5')]
  expect(english.body.title).toBe('Credentials are missing or not accepted')
  expect(german.body.title).toBe('Die Anmeldung fehlt oder wird nicht anerkannt')
  expect(albanian.body.title).toBe('Kredencialet mungojnë ose nuk pranohen')
  for (const { body, headers } of [german, albanian]) {
    expect([body.code, body.type]).toEqual([english.body.code, english.body.type])
    expect(headers.get('vary')).toContain('Accept-Language')
  }
  expect(german.headers.get('content-language')).toBe('de')
})
