/**
 * The parts that the mutation run of rules changes, and the tests that have to notice: plain functions, without a
 * stack.
 */

export interface Part {
  /** files, or ranges of their lines: whole declarations, as test/mutations/rules/scope.test.ts holds */
  sources: readonly string[]
  tests: readonly string[]
}

export const parts: Readonly<Record<string, Part>> = {
  policy: {
    // Not the tables of words: promises, sub-processors, columns, differences, events and the advice on tasks are
    // compared by tests of their own.
    sources: [
      'policy/{allowances,currency,pricing,privacy-reference,regions,operator-tasks,hosting,periods,withdrawal}.ts',
      'policy/access/service-scopes.ts',
      'policy/figures.ts',
      'policy/operators/{openid-roles,operator-roles}.ts',
      'db/catalogue/dominated.ts',
    ],
    tests: ['test/policy/{access,currency,dominated,pricing,periods,rules,withdrawal}.test.ts'],
  },
  tax: {
    sources: ['policy/{vat,vat-rates}.ts', 'shared/{csv,datev}.ts', 'db/order/books.ts:83-89'],
    tests: ['test/books/{datev,vat-rules,csv}.test.ts', 'test/db/split-tax.test.ts'],
  },
  money: {
    sources: [
      'activities/order/payment/payment-acceptance.ts',
      'activities/catalogue/merge.ts',
      'db/order/refunds.ts:12-28',
    ],
    tests: ['test/activities/catalogue-merge.test.ts', 'test/orders/rules/*.test.ts'],
  },
  erasure: {
    sources: ['db/erasure/{claims,holdings}.ts'],
    tests: ['test/erasure/holdings.test.ts', 'test/orders/rules/claims.test.ts'],
  },
  time: {
    sources: ['shared/{calendar,withdrawal-period,deadline,shared-reading,turns}.ts', 'activities/order/esim-rules.ts'],
    tests: ['test/shared/*.test.ts', 'test/activities/due-notices.test.ts'],
  },
  keys: {
    sources: [
      'db/crypto/{field-cipher,column-encryption,one-time,signer,unsubscribe-token}.ts',
      'db/backup/backup-cipher.ts',
    ],
    tests: ['test/backups/backup-cipher.test.ts', 'test/db/keys.test.ts'],
  },
  versioning: {
    sources: ['workflows/versioning/*.ts'],
    tests: ['test/workflows/versioning.test.ts'],
  },
}
