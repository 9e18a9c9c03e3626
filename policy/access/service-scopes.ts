/** The scopes of a restricted service key. A key without scopes may do everything that the app backend may. */

export const serviceScopes = {
  read: 'reads accounts, orders, eSIMs, events and figures',
  orders: 'buys, tops up, cancels, returns, withdraws, sends again',
  accounts: 'signs people up, in and out, and changes their data, devices and consents',
  erasure: 'deletes accounts and makes privacy requests',
  events: 'manages the webhook endpoints',
} as const

export type ServiceScope = keyof typeof serviceScopes

/** Whether a text names a scope of service keys. */
export const isServiceScope = (text: string): text is ServiceScope => Object.hasOwn(serviceScopes, text)
