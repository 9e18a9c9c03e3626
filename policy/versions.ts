/** The versions of our privacy policy, by the day each was posted. */
export const policyVersions = ['2026-06-20'] as const

export type PolicyVersion = (typeof policyVersions)[number]

/** What somebody who signs up today accepts. */
export const currentPolicyVersion: PolicyVersion = '2026-06-20'
