/** Signs people in with Apple and Google, as an app does. */
import type { SimulatorControls } from '../../../dev/simulators/simulators.ts'
import type { Answer } from '../../harness/http.ts'
import type { Person } from '../oracles/record.ts'
import type { SignInParty } from './events.ts'

/** Requests in a row that a fault has let spend a code. */
const mostCodes = 5

type Subjects = Pick<Person, 'appleSubject' | 'googleSubject'>

interface Asking extends Subjects {
  by: readonly SignInParty[]
  /** whether Apple is asked for a code: who is linked already needs none */
  isNew: boolean
}

/**
 * Asks with proofs of new sign-ins. Apple takes a code once: an app whose request was cut off behind that lets the
 * person sign in again.
 * @returns the last answer, and the users who have signed in
 */
export async function prove(
  { apple, google }: Pick<SimulatorControls, SignInParty>,
  { by, isNew, ...known }: Asking,
  ask: (proofs: object) => Promise<Answer>,
): Promise<Subjects & { answer: Answer; spentCodes: number }> {
  const subjects: Subjects = { ...known }
  for (let spentCodes = 0; ; spentCodes += 1) {
    const proofs: Record<string, object> = {}
    if (by.includes('apple')) {
      const { sub, idToken, code } = await apple.do('sign-in', named(subjects.appleSubject))
      subjects.appleSubject = sub
      proofs.apple = { identityToken: idToken, ...(isNew && { authorizationCode: code }) }
    }
    if (by.includes('google')) {
      const { sub, idToken } = await google.do('sign-in', named(subjects.googleSubject))
      subjects.googleSubject = sub
      proofs.google = { identityToken: idToken }
    }
    const answer = await ask(proofs)
    const isSpent = isNew && by.includes('apple') && answer.body?.code === 'sign_in_refused'
    if (!isSpent || spentCodes === mostCodes) return { ...subjects, answer, spentCodes }
  }
}

const named = (sub: string | null): { sub?: string } => (sub === null ? {} : { sub })
