/**
 * Timeouts and retries of all activities. Each is bounded per attempt and in total, or says why not. They differ in
 * what ends the retries: the workflow task, a waiting caller, the age of a message, an operator, the next run, or only
 * success. Where somebody waits for an order or an answer, the worker shows each second that it lives: an attempt that
 * is lost with its worker would otherwise be noticed at the end of its time only.
 */
import type { ActivityOptions, LocalActivityOptions } from '@temporalio/common'
import { lostAfterMs } from '../../shared/lost-worker.ts'

/**
 * A few database statements or one short call, as a local activity. Like all local activities it ends before the
 * workflow task has to heartbeat, at 80 % of its 10 s: a message that comes in between would be before its end live and
 * behind it in a replay, and the run could not go on (TMPRL1100). The number of attempts is bounded, because the SDK
 * ignores a total timeout that passes between two attempts; six attempts that are refused at once take 3 s.
 */
export const local = {
  startToCloseTimeout: '5 seconds',
  scheduleToCloseTimeout: '5 seconds',
  retry: {
    initialInterval: '100 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '2 seconds',
    maximumAttempts: 6,
  },
} satisfies LocalActivityOptions

/** One attempt as a local activity; `message` continues when it fails. */
export const localOnce = {
  startToCloseTimeout: '5 seconds',
  scheduleToCloseTimeout: '5 seconds',
  retry: { maximumAttempts: 1 },
} satisfies LocalActivityOptions

/**
 * A caller waits for the answer: an early 503 is better than a late success, so there are fewer attempts than `local`
 * has.
 */
export const localWhileCallerWaits = {
  startToCloseTimeout: '4 seconds',
  scheduleToCloseTimeout: '5 seconds',
  retry: { initialInterval: '200 milliseconds', maximumAttempts: 3 },
} satisfies LocalActivityOptions

/** A caller waits for the answer of a call that takes longer than a local activity may. */
export const whileCallerWaits = {
  startToCloseTimeout: '15 seconds',
  heartbeatTimeout: lostAfterMs,
  scheduleToCloseTimeout: '25 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumAttempts: 4 },
} satisfies ActivityOptions

/**
 * The run can do nothing else until this is done, and a customer waits for the run: retried every few seconds. No bound
 * in total unless the workflow sets one: without the database no outcome can be recorded, and a paid order would be
 * left without one.
 */
export const untilDone = {
  startToCloseTimeout: '30 seconds',
  heartbeatTimeout: lostAfterMs,
  retry: { initialInterval: '1 second', backoffCoefficient: 1.5, maximumInterval: '15 seconds' },
} satisfies ActivityOptions

/**
 * Erasing, purging, warning and rotating keys, which are due in days: retried every hour in a long outage. No bound in
 * total unless the workflow sets one: the duty does not end with an outage, and nothing else would do the work.
 */
export const duty = {
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 hour' },
} satisfies ActivityOptions

/**
 * Spread over a policy whose activity works through many rows. It heartbeats every few seconds, because one mail may
 * take ten minutes at a slow mail server.
 */
export const manyRows = { startToCloseTimeout: '2 hours', heartbeatTimeout: '2 minutes' } satisfies ActivityOptions

/**
 * A page of orders while operators watch and customers wait. The activity heartbeats each second, so that a worker
 * which is gone delays the other orders by no more than three. The wait for the next attempt is the same after each
 * worker that dies within a page: others go on where it has stopped. No bound in total: an operator ends the action.
 */
export const pageOfOrders = {
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '3 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 1, maximumInterval: '500 milliseconds' },
} satisfies ActivityOptions

/**
 * Mail servers defer (greylisting, outages) for hours; after three days the message is out of date. A mail server may
 * take ten minutes for its answer: the attempt then goes on behind its timeout, and the send ledger keeps others from
 * beginning.
 */
export const message = {
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '3 days',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '15 minutes' },
} satisfies ActivityOptions

/** Refunds and eSIMs to return, which cost money as well: a week outlasts any outage; then an operator decides. */
export const money = {
  startToCloseTimeout: '25 seconds',
  heartbeatTimeout: lostAfterMs,
  scheduleToCloseTimeout: '7 days',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 minutes' },
} satisfies ActivityOptions

/** Evidence in a dispute: banks give a week or more, so after two days an operator still has time to act by hand. */
export const beforeTheBankDecides = { ...money, scheduleToCloseTimeout: '2 days' } satisfies ActivityOptions

/**
 * A payment that the bank or Stripe has not decided: after a day an operator is notified, and the workflow asks again.
 */
export const decidedByOthers = { ...money, scheduleToCloseTimeout: '1 day' } satisfies ActivityOptions

/**
 * A poll of the provider: each attempt fails until the eSIMs have ended, because attempts write no events. The workflow
 * sets the bound in total: how long an eSIM can live.
 */
export const watch = {
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 minute', backoffCoefficient: 2, maximumInterval: '1 day' },
} satisfies ActivityOptions

/** A step of an hourly job: it waits for the database to come back, and otherwise leaves its work to the next run. */
export const hourlyStep = {
  startToCloseTimeout: '3 minutes',
  scheduleToCloseTimeout: '50 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
} satisfies ActivityOptions

/** A step of an hourly job that works through many rows or pages; it heartbeats at each. */
export const hourlySweep = {
  ...hourlyStep,
  startToCloseTimeout: '45 minutes',
  heartbeatTimeout: '2 minutes',
} satisfies ActivityOptions

/** A step of a daily job: it outlasts an outage of hours, and otherwise leaves its work to the next run. */
export const dailyStep = {
  ...manyRows,
  scheduleToCloseTimeout: '20 hours',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 minutes' },
} satisfies ActivityOptions

/**
 * Dumps and restores, which take longer the larger the database is: few attempts. After 12 hours operators are
 * notified, and the next day makes another backup.
 */
export const wholeDatabase = {
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '10 seconds', backoffCoefficient: 3, maximumInterval: '1 hour', maximumAttempts: 8 },
} satisfies ActivityOptions
