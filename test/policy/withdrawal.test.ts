/** Texts that people have agreed to: what a version says never changes, and a test does not let it. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { consentsInForce, languageOfConsent, performanceConsents } from '../../policy/withdrawal.ts'

test('U2: the texts of the consent before an order are those that people have agreed to', () => {
  const hashes = Object.entries(performanceConsents).map(([version, text]) => [
    version,
    createHash('sha256').update(text).digest('hex').slice(0, 16),
  ])
  expect(hashes).toMatchInlineSnapshot(`
    [
      [
        "2026-06-19",
        "bb703eec8982252b",
      ],
      [
        "2026-11-29-en",
        "d99edccb154d913a",
      ],
      [
        "2026-11-29-de",
        "f8465548f91db7b5",
      ],
      [
        "2026-11-29-sq",
        "5b62fa5e9da732a7",
      ],
    ]
  `)
})

test('each language has a consent in force, whose version is listed', () => {
  expect(consentsInForce).toEqual({ en: '2026-11-29-en', de: '2026-11-29-de', sq: '2026-11-29-sq' })
  for (const [language, version] of Object.entries(consentsInForce)) {
    expect(performanceConsents[version]).toMatch(/14/)
    expect(languageOfConsent(version)).toBe(language)
  }
})
