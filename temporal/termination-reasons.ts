/** Why we terminate runs ourselves. A run that was terminated for another reason has lost what it had still to do. */
export const terminationReasons = {
  accountDeleted: 'the account is deleted',
  orderLost: 'its order was lost with the database',
} as const
