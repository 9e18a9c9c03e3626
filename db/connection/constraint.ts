import postgres from 'postgres'

/** The constraint a statement broke, by name, or undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError && error.code.startsWith('23') ? error.constraint_name : undefined
}

/** Something else already holds what must be unique. `taken` says what, never whose. */
export class AlreadyTaken extends Error {
  override readonly name = 'AlreadyTaken'
  readonly taken: 'id' | 'email' | 'firebase_user' | 'identity'

  constructor(taken: AlreadyTaken['taken']) {
    super(`${taken} is already taken`)
    this.taken = taken
  }
}

const uniqueThings: Readonly<Record<string, AlreadyTaken['taken']>> = {
  accounts_pkey: 'id',
  data_keys_pkey: 'id',
  accounts_email_index_key: 'email',
  accounts_firebase_uid_index_key: 'firebase_user',
  identities_provider_subject_index_key: 'identity',
}

/** @throws AlreadyTaken in place of the unique violation it stands for; any other error as it was */
export async function tellingWhatIsTaken<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    const taken = uniqueThings[violatedConstraint(error) ?? '']
    throw taken ? new AlreadyTaken(taken) : error
  }
}
