/**
 * The meanings of the eSIM providers' statuses, which docs/codes/ shows. A status in no table says nothing of the
 * eSIM's state: nothing is decided by it, and operators see it.
 *
 * Sources: docs.esimaccess.com, "Understanding eSIM Profile Status" and "Webhooks"; esimaccess.com,
 * "What does each eSIM status mean"; developers.partners.airalo.com, "Get usage" and "Get order list".
 */
import type { EsimState } from '../esim.ts'
import type { ValueMeaning } from './meaning.ts'

type StatusMeaning = ValueMeaning & { state: EsimState }

const passing = (state: EsimState, says: string, customer: string): StatusMeaning => ({
  state,
  says,
  lasts: 'may pass',
  acts: 'nobody',
  customer,
})
const final = (state: EsimState, says: string, customer: string): StatusMeaning => ({
  ...passing(state, says, customer),
  lasts: 'final',
})

const mayReturn = 'can install it, or return it'
const uses = 'uses it; is notified when little is left'
const mayTopUp = 'is notified, and may buy more data'
const over = 'is notified that it has expired'
const taken = 'has the money back for what was returned; is notified of what the provider has ended'

const notYet = (says: string) => passing('unknown', says, 'waits; delivered when it has been made')

export const esimAccessStatuses: Readonly<Record<string, StatusMeaning>> = {
  CREATE: notYet('Ordered'),
  PAYING: notYet('Ordered, and not paid by us yet'),
  PAID: notYet('Ordered and paid'),
  GETTING_RESOURCE: notYet('Is being made'),
  GOT_RESOURCE: passing('new', 'Made; installed or not, as its SM-DP+ status says', mayReturn),
  IN_USE: passing('in_use', 'Activated; without usage it counts as installed', uses),
  USED_UP: passing('used_up', 'The data has been used', mayTopUp),
  USED_EXPIRED: final('expired', 'Used, and expired', over),
  UNUSED_EXPIRED: final('expired', 'Expired, and no data was used', over),
  CANCEL: final('cancelled', 'Cancelled, and refunded to us', taken),
  REVOKE: final('cancelled', 'Revoked, in another spelling', taken),
  REVOKED: final('cancelled', 'Revoked', taken),
  SUSPENDED: { ...passing('suspended', 'Suspended', 'has no data until it is resumed'), acts: 'operator' },
}

/**
 * Profile statuses decide where `esimStatus` does not: what `GOT_RESOURCE` is, and whether the phone has deleted the
 * eSIM.
 */
export const esimAccessProfileStatuses: Readonly<Record<string, StatusMeaning>> = {
  RELEASED: passing('new', 'Waits on the SM-DP+ server for a phone', mayReturn),
  DOWNLOAD: passing('installed', 'Is being downloaded by a phone', 'installs it'),
  INSTALLATION: passing('installed', 'Is being installed on a phone', 'installs it'),
  ENABLED: passing('installed', 'Installed and switched on', uses),
  DISABLED: passing('installed', 'Installed and switched off', uses),
  DELETED: final('removed', 'Deleted from the phone', 'cannot install it again'),
}

export const airaloUsageStatuses: Readonly<Record<string, StatusMeaning>> = {
  NOT_ACTIVE: passing('new', 'Not installed yet', mayReturn),
  ACTIVE: passing('in_use', 'In use', uses),
  FINISHED: passing('used_up', 'The data has been used', mayTopUp),
  EXPIRED: final('expired', 'Expired', over),
  RECYCLED: final('cancelled', 'Returned to the operator’s stock', taken),
  UNKNOWN: passing('unknown', 'Airalo does not know', 'nothing: it is asked again'),
}

/**
 * `alive`: whether the eSIMs of an order are ours; null where nobody can tell of which. `filled`: whether there were any,
 * or the data of a top-up.
 */
export const airaloOrderStatuses: Readonly<Record<string, ValueMeaning & { alive: boolean | null; filled: boolean }>> =
  {
    completed: {
      says: 'Filled',
      lasts: 'may pass',
      acts: 'nobody',
      customer: 'has the eSIM',
      alive: true,
      filled: true,
    },
    partially_refunded: {
      says: 'Refunded to us in part',
      lasts: 'may pass',
      acts: 'nobody',
      customer: 'nothing: which of the eSIMs is alive is not said',
      alive: null,
      filled: true,
    },
    refunded: {
      says: 'Refunded to us',
      lasts: 'final',
      acts: 'nobody',
      customer: 'has the money back',
      alive: false,
      filled: true,
    },
    failed: {
      says: 'Not filled',
      lasts: 'final',
      acts: 'nobody',
      customer: 'has the money back, or what they have paid for by another order',
      alive: false,
      filled: false,
    },
  }

/** Kinds of eSIM Access's notifications; what one is about is read from the provider. */
export const esimAccessEvents: Readonly<Record<string, ValueMeaning>> = {
  ORDER_STATUS: { says: 'An order has been filled', lasts: 'final', acts: 'nobody', customer: 'gets the eSIM' },
  ESIM_STATUS: { says: 'The status of an eSIM has changed', lasts: 'final', acts: 'nobody', customer: 'is notified' },
  SMDP_EVENT: { says: 'A phone has installed or deleted an eSIM', lasts: 'final', acts: 'nobody', customer: 'nothing' },
  DATA_USAGE: { says: 'Half, 80 or 90 % has been used', lasts: 'final', acts: 'nobody', customer: 'is notified' },
  VALIDITY_USAGE: { says: 'One day is left', lasts: 'final', acts: 'nobody', customer: 'is notified' },
  CHECK_HEALTH: { says: 'Tests our address', lasts: 'final', acts: 'nobody', customer: 'nothing' },
}
