/** /docs/events has what an app backend has to know of events, and leads to nothing that is not there. */
import { expect, test } from 'vitest'
import { eventTypes } from '../../policy/events/event-types.ts'
import { readDescribed } from '../harness/api/described.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'

const { anonymous } = await shareStack()

const textOf = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&#x27;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&gt;', '>')

test('/docs/events has each type with its meaning, the headers and fields of a delivery, and the example', async () => {
  const answer = await anonymous.get('/docs/events')
  expectStatus(answer, 200)
  const words = textOf(answer.text)
  for (const [type, { meaning, ids }] of Object.entries(eventTypes))
    expect(words).toContain(`${type}${meaning.replaceAll('`', '')}${ids.join(', ')}`)
  for (const part of ['webhook-id', 'webhook-signature', 'timestamp', 'data.orderId', '2XX', 'new Webhook('])
    expect(words).toContain(part)
  expect(words.match(/order\.in_review/g)?.length).toBeLessThan(5)
})

test('each link of the pages of the documentation leads somewhere', { tags: 'long' }, async () => {
  const starts = ['/docs', '/docs/quickstart', '/docs/order-states', '/docs/events']
  const pages = await Promise.all(starts.map(async (path) => [path, (await anonymous.get(path)).text] as const))
  expect(pages[0]?.[1]).toContain('href="/docs/events"')
  const faults: string[] = []
  const asked = new Map<string, Promise<number>>()
  for (const [path, text] of pages)
    for (const [, href = ''] of text.matchAll(/href="([^"]+)"/g)) {
      const [target = '', anchor] = href.split('#')
      if (/^https?:/.test(target)) continue
      const page = target === '' ? text : (pages.find(([name]) => name === target)?.[1] ?? undefined)
      if (anchor !== undefined && page !== undefined && !page.includes(`id="${anchor}"`))
        faults.push(`${path}: ${href}`)
      if (target !== '' && !asked.has(target))
        asked.set(
          target,
          anonymous.get(target).then(({ status }) => status),
        )
    }
  for (const [target, status] of asked) if ((await status) !== 200) faults.push(`${target}: ${await status}`)
  expect(asked.size).toBeGreaterThan(40)
  expect(faults).toEqual([])
})

test('the type of an event is one enumeration wherever it is asked or answered', async () => {
  const document = await readDescribed(anonymous)
  const { EventType, Event } = document.components.schemas
  expect(EventType?.['x-enum-descriptions']).toEqual(Object.values(eventTypes).map(({ meaning }) => meaning))
  expect(Event?.properties?.type).toEqual({ $ref: '#/components/schemas/EventType' })
  expect(JSON.stringify(document).split('"order.refund_failed"')).toHaveLength(2)
})
