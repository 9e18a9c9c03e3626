/** Whoever builds an app learns from docs/events.md what a push message has for it. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { push } from '../../messages/en/pushes.ts'
import { pushesTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { untilValue } from '../harness/until.ts'

const harness = await shareStack()
const page = await readFile(new URL('../../docs/events.md', import.meta.url), 'utf8')
const [, section = ''] = page.split('## Push messages')
const [messages = ''] = section.split('## Types')
const idsOf = new Map(
  [...messages.matchAll(/^\| `(\w+)` \| .* \| (.*) \|$/gm)].map(([, event = '', ids = '']) => [
    event,
    ids.split(', ').map((id) => id.replaceAll('`', '')),
  ]),
)

test('each push message that has a text is described, and no other', () => {
  const named = Object.keys(push).flatMap((key) => /^(?:order|esim)\.(\w+)\.title$/.exec(key)?.[1] ?? [])
  expect([...idsOf.keys()].sort()).toEqual([...named, 'mail_bounced'].sort())
})

test('a push message has the ids that are described, so that the app opens what it is about', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: 'tr-1gb-7d' })
  const [esim] = order.esims
  await harness.sims.esimAccess.do('use', { iccid: esim.iccid, bytes: 0.9 * esim.totalBytes })
  const pushed = await untilValue(
    'the pushes',
    async () => (await pushesTo(harness.stack, person.pushToken)).map(({ message }) => message.data ?? {}),
    (found) => found.some(({ event }) => event === 'low_data'),
  )
  expect(pushed.map(({ event }) => event)).toContain('confirmation')
  const known: Record<string, string> = { orderId: order.id, esimId: esim.id }
  for (const { event = '', dedupe_key, ...ids } of pushed) {
    expect(dedupe_key).toBeDefined()
    expect(ids).toEqual(Object.fromEntries((idsOf.get(event) ?? []).map((id) => [id, known[id]])))
  }
})
