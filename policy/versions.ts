/** The privacy policy of a new installation. Operators post later versions. */
export const firstPolicy = {
  version: '2026-06-20',
  title: 'Privacy policy',
  /** ISO 8601; also the time at which it took effect */
  postedAt: '2026-06-20T00:00:00.000Z',
  /** Markdown */
  text: new URL('./versions/2026-06-20.md', import.meta.url),
} as const

/** The version that accounts accept before another one is in force. */
export const currentPolicyVersion = firstPolicy.version
