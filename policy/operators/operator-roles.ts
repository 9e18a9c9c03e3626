/** The permissions of each operator role on the console. */

/**
 * `look`: find and read accounts and orders. `orders`: approve, reject, resend, retry, note, and settle tasks. `money`:
 * refund and cancel. `privacy`: answer privacy requests. `everything`: what names no other one.
 */
export type OperatorPermission = 'look' | 'orders' | 'money' | 'privacy' | 'everything'

export const operatorRoles = ['support', 'finance', 'privacy', 'admin'] as const
export type OperatorRole = (typeof operatorRoles)[number]

const permissions: Readonly<Record<OperatorRole, readonly OperatorPermission[]>> = {
  support: ['look', 'orders', 'money'],
  finance: ['look', 'money'],
  privacy: ['look', 'privacy'],
  admin: ['look', 'orders', 'money', 'privacy', 'everything'],
}

export const isPermitted = (role: OperatorRole, permission: OperatorPermission): boolean =>
  permissions[role].includes(permission)
