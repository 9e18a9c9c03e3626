/** Contract of the hourly payment sweep. Code outside of workflows may import it. */

export const paymentSweepType = 'paymentSweep'
/** Temporal adds the time to the ids of scheduled runs. */
export const paymentSweepWorkflowId = 'payment-sweep'

export interface PaymentSweepReport {
  /** events whose webhook was lost */
  missedEvents: number
  /** orders whose run was gone: their aftercare was started, or that of a delivered one has begun once more */
  ordersWithoutRun: number
  /** payments without an order: `cancelled` before anybody paid, or `paid` and left to an operator */
  unknownPayments: { cancelled: number; paid: number }
}

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface PaymentSweepActivities {
  /** Signals the orders of events whose webhook was lost. */
  readMissedEvents(input: { asOf: string }): Promise<PaymentSweepReport['missedEvents']>
  /**
   * Starts the aftercare of orders that wait for something and whose run is not open, and the runs of delivered orders
   * that have none; sends an open run again the update that only the order's row says.
   */
  settleOrdersWithoutRun(input: { asOf: string }): Promise<PaymentSweepReport['ordersWithoutRun']>
  /**
   * Cancels payments that were made for an order which does not exist; makes operator tasks of those that were paid.
   */
  settleUnknownPayments(input: { asOf: string }): Promise<PaymentSweepReport['unknownPayments']>
}
