import postgres from 'postgres'

/** The name of the constraint that a statement violated, or undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError && error.code.startsWith('23') ? error.constraint_name : undefined
}

/**
 * Names a fault in the data of one object, which fails again at each repetition: a violated constraint, or a code such
 * as `sql_22P02`. Undefined for all other errors.
 */
export function faultOfData(error: unknown): string | undefined {
  if (!(error instanceof postgres.PostgresError) || !/^2[23]/.test(error.code)) return undefined
  return violatedConstraint(error) ?? `sql_${error.code}`
}

const foreignKeyViolation = '23503'
/** Rows that an erasure deletes and to which other rows are tied. */
const erasable = /is not present in table "(?:accounts|orders|email_changes)"\.$/

/** Whether a row was to be tied to one that an erasure has deleted meanwhile. */
export const isTiedToErased = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && error.code === foreignKeyViolation && erasable.test(error.detail ?? '')

/** A value that must be unique is taken. `taken` names the kind of value, never its owner. */
export class AlreadyTaken extends Error {
  override readonly name = 'AlreadyTaken'
  readonly taken: 'id' | 'email' | 'firebase_user' | 'identity'

  constructor(taken: AlreadyTaken['taken']) {
    super(`${taken} is already taken`)
    this.taken = taken
  }
}

const takenByConstraint: Readonly<Record<string, AlreadyTaken['taken']>> = {
  accounts_pkey: 'id',
  data_keys_pkey: 'id',
  accounts_email_index_key: 'email',
  accounts_firebase_uid_index_key: 'firebase_user',
  identities_provider_subject_index_key: 'identity',
}

/** Turns a violation of the constraints above into AlreadyTaken. @throws AlreadyTaken; other errors are passed on */
export async function asAlreadyTaken<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    const taken = takenByConstraint[violatedConstraint(error) ?? '']
    throw taken ? new AlreadyTaken(taken) : error
  }
}
