/** The ports in development, on 127.0.0.1. Temporal, the mail server and Stripe's simulator have their usual ports. */
export const fixedPorts = {
  api: 8080,
  workerMetrics: 9464,
  temporal: 7233,
  temporalUi: 8233,
  postgres: 5433,
  mailbox: 8025,
  smtp: 1025,
  stripe: 12111,
  esimAccess: 12121,
  airalo: 12122,
  apple: 12131,
  google: 12132,
  firebase: 12133,
  firebaseTls: 12134,
  meta: 12141,
  googleAnalytics: 12142,
} as const

export type PortName = keyof typeof fixedPorts
