/** The permissions of each operator role on the console. */

/**
 * `look`: find and read accounts and orders. `tasks`: note, take and settle tasks, note about accounts and orders, and
 * enter privacy requests.
 * `orders`: approve, reject, resend, retry, sign a person out. `money`: refund and cancel, and answer disputes.
 * `privacy`: answer privacy requests, waive the consent of an old address, delete accounts, end a deletion's
 * step. `everything`: what names no other permission. Decision 0560 says why each role has its permissions.
 */
export type OperatorPermission = 'look' | 'tasks' | 'orders' | 'money' | 'privacy' | 'everything'

export const operatorRoles = ['support', 'finance', 'privacy', 'admin'] as const
export type OperatorRole = (typeof operatorRoles)[number]

const permissions: Readonly<Record<OperatorRole, readonly OperatorPermission[]>> = {
  support: ['look', 'tasks', 'orders', 'money'],
  finance: ['look', 'tasks', 'money'],
  privacy: ['look', 'tasks', 'privacy'],
  admin: ['look', 'tasks', 'orders', 'money', 'privacy', 'everything'],
}

/** Whether a role may do what a permission stands for. */
export const isPermitted = (role: OperatorRole, permission: OperatorPermission): boolean =>
  permissions[role].includes(permission)
