/** The figures that show whether the promises are kept, each read from the live system. */

export interface Figure {
  /** what the number counts, for operators */
  meaning: string
  unit: 'rows' | 'columns' | 'days' | 'percent' | 'keys' | 'settings'
  /** the promise is broken above this number; absent when the figure only informs */
  brokenAbove?: number
}

const mustBeNone = { brokenAbove: 0 } as const

export const figures = {
  // columns of the live schema
  unknown_columns: { meaning: 'Columns that no entry of the data list accounts for', unit: 'columns', ...mustBeNone },
  unsealed_columns: { meaning: 'Personal columns that do not hold ciphertext only', unit: 'columns', ...mustBeNone },
  demanded_columns: {
    meaning: 'Columns for what nobody has to give that the database demands, or fills by itself',
    unit: 'columns',
    ...mustBeNone,
  },
  clear_ip_columns: { meaning: 'Columns for IP addresses that are not encrypted', unit: 'columns', ...mustBeNone },
  card_columns: { meaning: 'Columns that could hold card data', unit: 'columns', ...mustBeNone },
  unexported_columns: { meaning: 'Personal columns that the export leaves out', unit: 'columns', ...mustBeNone },

  // accounts
  unreadable_accounts: {
    meaning: 'Accounts whose data cannot be read, of the 100 used last',
    unit: 'rows',
    ...mustBeNone,
  },
  accounts_past_term: { meaning: 'Accounts unused for longer than 3 years', unit: 'rows', ...mustBeNone },
  overdue_email_changes: {
    meaning: 'Changes of address that are past their period and open',
    unit: 'rows',
    ...mustBeNone,
  },

  // orders
  unsettled_orders: {
    meaning: 'Orders that are paid, past due, and neither delivered nor refunded',
    unit: 'rows',
    ...mustBeNone,
  },
  unsettled_payments: {
    meaning: 'Payments at Stripe of which nobody got an eSIM or the money back, as the newest comparison has found',
    unit: 'rows',
    ...mustBeNone,
  },
  unbooked_money: {
    meaning: 'Payments and refunds that Stripe’s books and our invoices, credit notes and order facts do not both show',
    unit: 'rows',
    ...mustBeNone,
  },
  oldest_velocity_count: {
    meaning: 'Age of the oldest count of purchases by a card, a device or an address',
    unit: 'days',
    brokenAbove: 30,
  },
  overdue_reviews: { meaning: 'Held orders that nobody decided about in time', unit: 'rows', ...mustBeNone },
  unbooked_orders: { meaning: 'Orders of the last week, paid and not in the books', unit: 'rows', ...mustBeNone },
  missing_invoices: { meaning: 'Orders of the last week, delivered without an invoice', unit: 'rows', ...mustBeNone },
  invoice_gaps: {
    meaning: 'Numbers missing in the series of invoices, among the last 10,000 of each',
    unit: 'rows',
    ...mustBeNone,
  },
  unsent_mails: { meaning: 'Mails that should have gone out three days ago', unit: 'rows', ...mustBeNone },
  unsent_pushes: { meaning: 'Push messages that should have gone out three days ago', unit: 'rows', ...mustBeNone },

  // sub-processors
  telling_references: {
    meaning: 'References given to eSIM providers that lead to an order or account, among 10,000',
    unit: 'rows',
    ...mustBeNone,
  },
  unasked_measurements: { meaning: 'Purchases reported for ads without consent', unit: 'rows', ...mustBeNone },
  unlisted_hosts: {
    meaning: 'Configured hosts that belong to no sub-processor on the list',
    unit: 'settings',
    ...mustBeNone,
  },
  open_mail: { meaning: 'Mail servers reached without encryption', unit: 'settings', ...mustBeNone },
  foreign_regions: { meaning: 'Hosting regions outside the EU and EEA', unit: 'settings', ...mustBeNone },

  // promotions
  unwanted_promotions: {
    meaning: 'Promotions sent after consent was withdrawn, among the last 10,000',
    unit: 'rows',
    ...mustBeNone,
  },
  unproven_consents: {
    meaning: 'Consents to promotions without a record of when and where',
    unit: 'rows',
    ...mustBeNone,
  },

  // retention
  books_past_term: {
    meaning: 'Invoices and order facts older than their period, without months on hold',
    unit: 'rows',
    ...mustBeNone,
  },
  newest_backup: {
    meaning: 'Age of the newest backup in the store, and without any the time since the first account',
    unit: 'days',
    brokenAbove: 1.5,
  },
  oldest_backup: { meaning: 'Age of the oldest backup in the store', unit: 'days', brokenAbove: 30 },
  uncounted_backups: {
    meaning: 'Erased people whose last backup should be gone and is not noted as gone',
    unit: 'rows',
    ...mustBeNone,
  },
  oldest_security_log: { meaning: 'Age of the oldest day of the security log', unit: 'days', brokenAbove: 90 },

  // rights
  unfinished_erasures: { meaning: 'Erasures with a step that a sub-processor has not finished yet', unit: 'rows' },
  overdue_erasures: { meaning: 'Erasures with a part that is overdue', unit: 'rows', ...mustBeNone },
  overdue_child_erasures: {
    meaning: 'Erasures of children’s accounts with a part that is overdue',
    unit: 'rows',
    ...mustBeNone,
  },
  oldest_request: { meaning: 'Age of the oldest unanswered privacy request', unit: 'days' },
  late_requests: { meaning: 'Privacy requests that are unanswered past their day', unit: 'rows', ...mustBeNone },

  // the policy
  policies_in_force: {
    meaning: 'Versions of the privacy policy in force beyond, or short of, the one there must be',
    unit: 'rows',
    ...mustBeNone,
  },
  notice_share: { meaning: 'Share of people who were notified of the version that is coming', unit: 'percent' },
  short_notices: {
    meaning: 'People notified less than 30 days before the version in force took effect, or not at all',
    unit: 'rows',
    ...mustBeNone,
  },

  // keys
  lost_keys: { meaning: 'Data keys under a key-encryption key that we do not have', unit: 'keys', ...mustBeNone },
  key_age: { meaning: 'Age of the oldest key that encrypts', unit: 'days', brokenAbove: 365 },
} as const satisfies Record<string, Figure>

export type FigureName = keyof typeof figures

export type FigureStatus = 'kept' | 'broken' | 'unknown'

/** The value of a figure. */
export interface Reading {
  /** null: the figure could not be read */
  value: number | null
  /** column names, codes or states; never ids or personal data */
  detail?: string
}

export type Readings = Partial<Record<FigureName, Reading>>

/** Compares a figure with its limit. `unknown` when it could not be read. */
export function evaluate(name: FigureName, reading: Reading | undefined): FigureStatus {
  const value = reading?.value
  if (value === undefined || value === null || Number.isNaN(value)) return 'unknown'
  const { brokenAbove }: Figure = figures[name]
  return brokenAbove !== undefined && value > brokenAbove ? 'broken' : 'kept'
}
