/** Collects the differences that one step of a reconciliation finds. */
import type { Queryable } from '../../db/connection/database.ts'
import { type Difference, recordDifferences } from '../../db/reconciliation/reconciliations.ts'
import { type DifferenceKindName, differenceKinds, type Explanation, tasksAbout } from '../../policy/reconciliation.ts'
import type { Compared } from '../../workflows/reconciliation/reconciliation.contract.ts'

/** Differences by these rules concern an operator. */
const ofOperators: readonly (Explanation | null)[] = [null, 'with_an_operator']
/** Each of these is recorded: what is in flight for too long is an operator's. Those by other rules are counted only. */
const recorded: readonly (Explanation | null)[] = [...ofOperators, 'in_flight']

export type FoundDifference = Difference

/** The subject of a difference. @see Difference.part */
interface Subject {
  id: string
  part: string
  at: Date
  tasks?: readonly string[]
}

/** Of a subject that can have one difference of a kind alone. */
export const whole = ''

/**
 * A difference.
 * @param explainedBy the rule by which it is expected; by default null, or that an operator has a task about it
 */
export function differs(
  kind: DifferenceKindName,
  subject: Subject,
  reason: string,
  explainedBy: Explanation | null = null,
): FoundDifference {
  const isWithOperator = subject.tasks?.some((task) => tasksAbout[kind]?.includes(task)) ?? false
  return {
    kind,
    subjectId: subject.id,
    part: subject.part,
    subjectAt: subject.at,
    detail: `${reason}; cure: ${differenceKinds[kind].cure.name}`,
    explainedBy: explainedBy ?? (isWithOperator ? 'with_an_operator' : null),
  }
}

/** Whether an operator has to look at a difference, or does so already. */
export const isUnexplained = ({ explainedBy }: FoundDifference): boolean => ofOperators.includes(explainedBy)

/** Counts what a step compares, and collects what differs. */
export function createTally(sql: Queryable, reconciliationId: string) {
  const compared: Compared = { records: 0, explained: {} }
  const found: FoundDifference[] = []
  return {
    /** Counts records of the outside party. */
    seen(records: number): void {
      compared.records += records
    },
    note(differences: readonly FoundDifference[]): void {
      found.push(...differences.filter(({ explainedBy }) => recorded.includes(explainedBy)))
      for (const { kind, explainedBy } of differences) {
        if (explainedBy === null) continue
        const rules = compared.explained[kind] ?? {}
        rules[explainedBy] = (rules[explainedBy] ?? 0) + 1
        compared.explained[kind] = rules
      }
    },
    /** Records the differences. Not before the end of a step: what an attempt has found that failed may be gone. */
    async close(): Promise<Compared> {
      await recordDifferences(sql, reconciliationId, found)
      return compared
    },
  }
}

/** `5.00 EUR` would need the currency's digits: operators get minor units, as in Stripe's dashboard and our API. */
export const minor = (amount: number, currency: string): string => `${amount} minor units of ${currency}`
