/** What the mutation run of rules changes, and the tests that have to notice: plain functions, without a stack. */

export interface Part {
  /** files, or ranges of their lines */
  sources: readonly string[]
  tests: readonly string[]
}

export const parts: Readonly<Record<string, Part>> = {
  policy: {
    sources: ['policy/{currency,pricing,regions,operator-tasks,figures,hosting,periods}.ts'],
    tests: ['test/policy/{currency,dominated,pricing,periods,rules}.test.ts'],
  },
  tax: {
    sources: ['policy/{vat,vat-rates}.ts', 'shared/{csv,datev}.ts', 'db/order/books.ts:83-87'],
    tests: ['test/books/{datev,vat-rules,csv}.test.ts', 'test/db/split-tax.test.ts'],
  },
  money: {
    sources: [
      'activities/order/payment/payment-acceptance.ts',
      'activities/catalogue/merge.ts',
      'db/erasure/claims.ts',
      'db/order/refunds.ts:8-19',
    ],
    tests: ['test/activities/catalogue-merge.test.ts', 'test/orders/rules/*.test.ts'],
  },
  time: {
    sources: [
      'shared/{calendar,withdrawal-period,deadline,fresh,turns}.ts',
      'activities/order/esim-tracking.ts:146-167',
    ],
    tests: ['test/workflows/clock.test.ts', 'test/shared/*.test.ts', 'test/activities/due-notices.test.ts'],
  },
  keys: {
    sources: [
      'db/crypto/{field-cipher,column-encryption,one-time,signer,unsubscribe-token}.ts',
      'db/backup/backup-cipher.ts',
    ],
    tests: ['test/backups/backup-cipher.test.ts', 'test/db/keys.test.ts'],
  },
}
