/**
 * People live at the API, several at once, and the model has to explain each answer and each end. The run's seed draws
 * them, and `npm test -- --all` plays more of them. A failure prints what its one person did.
 */
import { expect, test } from 'vitest'
import { shareStack } from '../../harness/harness.ts'
import { commandNamed } from './commands.ts'
import { drawnLives, lifeOf, playLives, rareLives } from './play.ts'

// The check of the books knows no erased orders.
const harness = await shareStack({ books: false })
const atOnce = 10
const times = process.env.TEST_ALL === '1' ? 12 : 1

test('U2 G3: the model explains every answer and every end of drawn lives', { timeout: 900_000 }, async () => {
  for (const lives of drawnLives(atOnce, times)) {
    const { faults, story } = await playLives(harness, lives)
    expect(faults.join('\n')).toBe('')
    expect(story.length).toBeGreaterThan(3 * atOnce)
  }
})

test.each(rareLives)('U2 G3: the model explains the life of a customer who $who', async ({ acts }) => {
  const { faults, story } = await playLives(harness, [lifeOf(acts)])
  expect(faults.join('\n')).toBe('')
  expect(story.length).toBe(2 + acts.length)
})

test.each([
  ['an order that is cancelled at the processor', ['is cancelled at the processor']],
  ['a delivered order whose payment was warned of', ['pays', 'the issuer warns of fraud']],
  ['an order in review whose payment is warned of', ['pays at risk', 'the issuer warns of fraud']],
  ['a warning of an eSIM that is used', ['pays', 'uses the eSIM', 'the issuer warns of fraud']],
  ['an eSIM that its provider has ended', ['pays', 'the provider ends the eSIM']],
])('U2: the model explains %s', async (_what, acts) => {
  const { faults, story } = await playLives(harness, [['orders', ...acts].map(commandNamed)])
  expect(faults.join('\n')).toBe('')
  expect(story.length).toBeGreaterThanOrEqual(1 + acts.length)
})
