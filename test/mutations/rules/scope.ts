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
    sources: [
      'policy/{currency,pricing,privacy-reference,regions,operator-tasks,hosting,periods,withdrawal}.ts',
      'policy/access/service-scopes.ts',
      'policy/figures.ts',
      'policy/operators/{openid-roles,operator-roles}.ts',
      'db/catalogue/dominated.ts',
    ],
    tests: ['test/policy/{access,currency,dominated,pricing,periods,rules,withdrawal}.test.ts'],
  },
  tax: {
    sources: ['policy/{vat,vat-rates}.ts', 'shared/{csv,datev}.ts', 'db/order/books.ts:84-90'],
    tests: ['test/books/{datev,vat-rules,csv}.test.ts', 'test/db/split-tax.test.ts'],
  },
  money: {
    sources: [
      'activities/order/payment/payment-acceptance.ts:10-25',
      'activities/catalogue/merge.ts',
      'db/order/refunds.ts:12-32',
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

/**
 * The files of policy/ that no part changes, and why. Of constants (`as const`) Stryker makes no mutant: what they are
 * for is compared by the tests named here.
 */
export const notChanged: Readonly<Record<string, string>> = {
  'policy/allowances.ts': 'constants, written a second time in test/policy/access.test.ts',
  'policy/deletion.ts': 'constants: names',
  'policy/events/event-types.ts': 'words and names: test/events/stream.test.ts compares them with the triggers',
  'policy/field-groups.ts': 'constants: names',
  'policy/operators/task-advice.ts': 'words: test/policy/task-advice.test.ts demands them of each kind',
  'policy/outside-parties.ts': 'constants: names',
  'policy/personal-data.ts': 'one entry for each column: test/personal-data.test.ts compares them with the schema',
  'policy/promises.ts': 'constants: test/policy/promises.test.ts looks for the files and tests that they name',
  'policy/reconciliation.ts': 'words and names: test/policy/reconciliation.test.ts compares them with a page of docs/',
  'policy/sub-processors.ts': 'constants: hosts, which test/api/evidence.test.ts compares with the settings',
  'policy/versions.ts': 'constants: the date and the file of the first policy',
}
