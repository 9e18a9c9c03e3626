/** How often, how long and why work is repeated. Each is bounded per attempt and in total, or says why not. */
import type { ActivityOptions, LocalActivityOptions } from '@temporalio/common'

/**
 * A few database statements or one short call, within the workflow task; seven tries at something that refuses take 5 s.
 * It ends before that task would have to heartbeat, at 80 % of its 10 s: the events of a heartbeat are what `patient`
 * costs, once. The attempts are bounded because the SDK loses a total that is up while no attempt is running.
 */
export const local = {
  startToCloseTimeout: '7 seconds',
  scheduleToCloseTimeout: '7 seconds',
  retry: {
    initialInterval: '100 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '2 seconds',
    maximumAttempts: 7,
  },
} satisfies LocalActivityOptions

/**
 * Goes on where `quick` gave up. No bound in total: without the database no outcome can be recorded, and giving up would
 * leave a paid order that nobody owns.
 */
export const afterLocal = {
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 1.5, maximumInterval: '15 seconds' },
} satisfies ActivityOptions

/** Somebody waits for the answer: better a clear 503 soon than a late success. */
export const localWhileCallerWaits = {
  startToCloseTimeout: '5 seconds',
  scheduleToCloseTimeout: '8 seconds',
  retry: { initialInterval: '200 milliseconds', maximumAttempts: 3 },
} satisfies LocalActivityOptions

/** A first try at once; `notify` takes over what it cannot do. */
export const notifyLocally = {
  startToCloseTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
} satisfies LocalActivityOptions

/** Mail servers defer (greylisting, outages) for hours; after three days the mail is no news any more. */
export const notify = {
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '3 days',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '15 minutes' },
} satisfies ActivityOptions

/** The caller bounds the total, since the promise to deliver or refund does. */
export const provision = {
  startToCloseTimeout: '25 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 1.5, maximumInterval: '15 seconds' },
} satisfies ActivityOptions

/** Money that must move: a processor's outage is waited out; after a week an operator decides. */
export const charge = {
  startToCloseTimeout: '25 seconds',
  scheduleToCloseTimeout: '7 days',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 minutes' },
} satisfies ActivityOptions

/** Giving back what a provider may hold: as patient as money, since an unreturned eSIM is money. */
export const returnEsim = {
  startToCloseTimeout: '25 seconds',
  scheduleToCloseTimeout: '7 days',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '1 hour' },
} satisfies ActivityOptions

/** An activity whose caller waits: longer than a local one may take, and still an answer. */
export const whileCallerWaits = {
  startToCloseTimeout: '15 seconds',
  scheduleToCloseTimeout: '25 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumAttempts: 4 },
} satisfies ActivityOptions

/** One long series of attempts, each a look at the provider: a poll by retry costs no history events. */
export const watch = {
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 minute', backoffCoefficient: 2, maximumInterval: '1 day' },
} satisfies ActivityOptions

/** A step of an hourly job: bridges an outage of the database, and leaves the rest to the next run. */
export const hourlyStep = {
  startToCloseTimeout: '3 minutes',
  scheduleToCloseTimeout: '50 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
} satisfies ActivityOptions

/** A step of a daily job: outlasts an outage of hours, and leaves the rest to the next run. Long ones heartbeat. */
export const dailyStep = {
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: '20 hours',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 minutes' },
} satisfies ActivityOptions

/** Nothing goes on before the person was told: no bound in total unless the caller gives one. */
export const untilNotified = {
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '4 hours' },
} satisfies ActivityOptions

/**
 * Telling others to delete, and looking whether it is gone. No bound in total: the duty does not lapse however long
 * somebody is away; the deletion shows operators what is overdue.
 */
export const erase = {
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 hour' },
} satisfies ActivityOptions

/** The same, thing by thing: whoever ordered for years has thousands of runs. Heartbeats. */
export const eraseMany = {
  ...erase,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
} satisfies ActivityOptions

/** Starting another run: no bound in total, since nobody else would do it. */
export const startRun = {
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 minutes' },
} satisfies ActivityOptions

/** Deleting what is past its term: no bound in total, since the promise has no other keeper. */
export const purge = {
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 hour' },
} satisfies ActivityOptions

/** A page of several hundred mails; what was sent is in a ledger. After three days without a mail server an operator decides. */
export const mailPage = {
  startToCloseTimeout: '15 minutes',
  heartbeatTimeout: '2 minutes',
  scheduleToCloseTimeout: '3 days',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '15 minutes' },
} satisfies ActivityOptions

/** Dumping takes as long as the database is large; what fails all morning is told, and tomorrow is another day. */
export const dump = {
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '10 seconds', backoffCoefficient: 3, maximumInterval: '1 hour', maximumAttempts: 8 },
} satisfies ActivityOptions

/** An operator waits for the outcome, and can ask again. */
export const drill = {
  startToCloseTimeout: '6 hours',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '10 seconds', maximumAttempts: 2 },
} satisfies ActivityOptions

/** The database decides what may take effect: nothing does while it is away, so there is no bound in total. */
export const decide = {
  startToCloseTimeout: '10 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 minutes' },
} satisfies ActivityOptions

/** A page of a notice that everybody was promised: what was sent is in a ledger, and no bound in total. */
export const noticePage = {
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '12 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 hour' },
} satisfies ActivityOptions
