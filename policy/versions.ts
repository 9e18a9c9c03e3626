/** The first version of our privacy policy, with which a new installation begins. Later ones are posted by operators. */
export const firstPolicy = {
  version: '2026-06-20',
  title: 'Privacy policy',
  /** when it was posted, and took effect */
  postedAt: '2026-06-20T00:00:00.000Z',
  /** Markdown */
  text: new URL('./versions/2026-06-20.md', import.meta.url),
} as const

/** What everybody accepts before another version is posted. */
export const currentPolicyVersion = firstPolicy.version
