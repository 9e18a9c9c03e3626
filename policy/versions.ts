/**
 * The privacy policy of a new installation. Operators post later versions: what is posted never changes, so an
 * installation with an earlier version stays on it until an operator posts this text as a new one
 * (`POST /v1/policies`).
 */
export const firstPolicy = {
  version: '2026-11-28',
  title: 'Privacy policy',
  /** ISO 8601; also the time at which it took effect */
  postedAt: '2026-11-28T00:00:00.000Z',
  /** Markdown */
  text: new URL('./versions/2026-11-28.md', import.meta.url),
} as const

/** The version that accounts accept before another one is in force. */
export const currentPolicyVersion = firstPolicy.version
