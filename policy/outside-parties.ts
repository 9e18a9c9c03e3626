/** The outside parties that we call, under the names that failures, metrics and operator tasks use. */
export const outsideParties = {
  stripe: 'Stripe',
  'esim-access': 'eSIM Access',
  airalo: 'Airalo',
  smtp: 'the mail server',
  apple: 'Apple',
  google: 'Google',
  firebase: 'Firebase',
  fcm: 'Firebase Cloud Messaging',
  meta: 'Meta',
  google_analytics: 'Google Analytics',
} as const

export type OutsideParty = keyof typeof outsideParties

/** The outside parties that provide eSIMs. */
export const esimProviderIds = ['esim-access', 'airalo'] as const satisfies readonly OutsideParty[]
export type EsimProviderId = (typeof esimProviderIds)[number]
