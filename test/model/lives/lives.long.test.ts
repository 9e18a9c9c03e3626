/**
 * People live at the API, several at once, and the model has to explain each answer and each end. The run's seed draws
 * them, and `npm test -- --all` plays more of them. A failure prints what its one person did.
 */
import { expect, test } from 'vitest'
import { shareStack } from '../../harness/harness.ts'
import { drawnLives, playLives } from './play.ts'

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
