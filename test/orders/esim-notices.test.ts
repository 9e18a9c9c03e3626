/**
 * U3: messages about orders are sent once. A notice promises more data to those whose eSIM takes some, and leads to
 * where it is ordered.
 */
import { expect, test } from 'vitest'
import { mailsTo, pushesTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { untilValue } from '../harness/until.ts'

const harness = await shareStack()

test.each([
  ['tr-1gb-7d', 'You can add more in the app.', 'You can add more', 'Add data', '/account'],
  ['tr-3gb-15d', 'This eSIM takes no more.', 'This eSIM takes no more', 'See your eSIM', '/i/'],
])('the notices of used data about an eSIM of %s', async (packageCode, push, text, action, path) => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  const [esim] = order.esims
  await harness.sims.esimAccess.do('use', { iccid: esim.iccid, bytes: 0.9 * esim.totalBytes })
  const pushed = await untilValue(
    'the push',
    async () =>
      (await pushesTo(harness.stack, person.pushToken)).find(({ message: { data } }) => data?.event === 'low_data'),
    (found) => found !== undefined,
  )
  expect(pushed?.message.notification?.body).toContain(push)
  const mail = await untilValue(
    'the mail',
    async () => (await mailsTo(harness.stack, person.email)).find(({ subject }) => subject.startsWith('80%')),
    (found) => found !== undefined,
  )
  expect(mail?.text).toContain(text)
  const [button = ''] = /<a class="button".*?<\/a>/.exec(mail?.html ?? '') ?? []
  expect([button.includes(`href="${harness.urls.api}${path}`), button.includes(`>${action}<`)]).toEqual([true, true])

  const page = await (await fetch(order.installUrl)).text()
  expect(page).toContain(packageCode === 'tr-1gb-7d' ? 'Add data<' : 'See the order<')
  expect(page).not.toContain('return it')
  expect(page).toMatch(/<a class="button plain" href="\/account">/)
})
