/** P8: data is shared with these sub-processors only. What each receives, and its hosts: we connect to no others. */
import type { PromiseId } from './promises.ts'

export interface SubProcessor {
  name: string
  purpose: string
  receives: string
  promise: PromiseId
  /** the sub-processor's hosts that we connect to */
  hosts: readonly string[]
}

export const subProcessors = {
  esimAccess: {
    name: 'eSIM Access',
    purpose: 'provides eSIMs',
    receives: 'the package and a random reference',
    promise: 'P1',
    hosts: ['api.esimaccess.com'],
  },
  airalo: {
    name: 'Airalo',
    purpose: 'provides eSIMs',
    receives: 'the package and a random reference',
    promise: 'P1',
    hosts: ['partners-api.airalo.com'],
  },
  stripe: {
    name: 'Stripe',
    purpose: 'takes payments',
    receives: 'the amount, the order by an opaque id, and from you directly how you pay',
    promise: 'P2',
    hosts: ['api.stripe.com'],
  },
  meta: {
    name: 'Meta',
    purpose: 'measures our advertising, with your consent',
    receives: 'that a purchase was made, and its value',
    promise: 'P3',
    hosts: ['graph.facebook.com'],
  },
  googleAnalytics: {
    name: 'Google Analytics',
    purpose: 'measures our advertising, with your consent',
    receives: 'that a purchase was made, its value, and the app installation',
    promise: 'P3',
    // The first one takes events in the EU, the second one anywhere.
    hosts: ['region1.google-analytics.com', 'www.google-analytics.com'],
  },
  firebase: {
    name: 'Google Firebase',
    purpose: 'signs you in and delivers push notifications, on iPhones through Apple',
    receives:
      'push tokens, messages without anything about you in them, and your new address if you sign in with it and a password',
    promise: 'P4',
    hosts: [
      'fcm.googleapis.com',
      'identitytoolkit.googleapis.com',
      'oauth2.googleapis.com',
      'accounts.google.com',
      'www.googleapis.com',
    ],
  },
  apple: {
    name: 'Apple',
    purpose: 'signs you in, if you chose Sign in with Apple',
    receives: 'the tokens it issued for you',
    promise: 'C6',
    hosts: ['appleid.apple.com'],
  },
  google: {
    name: 'Google',
    purpose: 'signs you in, if you chose Google',
    receives: 'the tokens it issued for you',
    promise: 'C6',
    hosts: ['www.googleapis.com', 'oauth2.googleapis.com'],
  },
  mail: {
    name: 'Our mail provider',
    purpose: 'delivers mail',
    receives: 'your address and our mails to you',
    promise: 'P5',
    // The setting SMTP_URL has the host.
    hosts: [],
  },
  hosting: {
    name: 'Our hosting provider in the EU',
    purpose: 'runs our servers',
    receives: 'everything, encrypted where it is about you',
    promise: 'P7',
    // The settings of the database and of Temporal have the hosts.
    hosts: [],
  },
} as const satisfies Record<string, SubProcessor>
