/**
 * G3, everybody can delete their account at once: erases a person. Every row is found by an index: the time does not
 * grow with the number of accounts.
 */
import type { DeletionReason } from '../../policy/deletion.ts'
import type { Transaction } from '../connection/database.ts'
import type { ColumnEncryption } from '../crypto/column-encryption.ts'
import { recordAccountDeleted } from '../events/events.ts'
import { isUsedAgain } from '../inactivity.ts'
import { raiseOperatorTask } from '../operator-tasks.ts'
import { erasedDisputeTask } from '../order/disputes.ts'
import { erasedWarningTasks } from '../order/fraud-warnings.ts'
import { noteEndedUser } from '../sign-in-events.ts'
import { appendErased } from './deletion-ledger.ts'
import { sealSecrets } from './deletion-seals.ts'
import { findDeletion, type NewSteps, type StartedDeletion, startDeletion } from './deletions.ts'
import { noteErasedReferences } from './erased-references.ts'
import { eraseRows } from './erased-rows.ts'
import type { Person } from './holdings.ts'
import { lockPerson } from './person.ts'

/**
 * Erases an account in the caller's transaction: writes the seal for the erasure steps, deletes the rows, and writes
 * ledger and receipt. A repeated call returns the first receipt.
 * @returns undefined when the account never existed; `in_use` when an account to be deleted for inactivity is used
 * again
 */
export async function erase(
  tx: Transaction,
  encryption: ColumnEncryption,
  erasure: { accountRef: string; receiptId: string; reason: DeletionReason; at: Date; backupsGoneBy: Date },
): Promise<(StartedDeletion & { accountId: string | null }) | 'in_use' | undefined> {
  const { accountRef, receiptId, reason, at } = erasure
  const person = await lockPerson(tx, encryption, accountRef)
  if (!person) {
    const before = await findDeletion(tx, accountRef)
    return before && { ...before, accountId: null }
  }
  if (reason === 'inactivity' && (await isUsedAgain(tx, person.accountId))) return 'in_use'
  const { accountId, owned, secrets } = person
  const uid = secrets.firebase?.uid
  const keys = { cipher: encryption.cipher, systemKey: await encryption.dataKeys.system(tx) }
  // One round trip, since a caller waits; the database executes them in this order. Each of these functions sends all
  // that it has to send at once: a statement that follows an answer could come after the ROLLBACK.
  const [deletion, warnings] = await Promise.all([
    startDeletion(tx, erasure, stepsOf(person)),
    erasedWarningTasks(tx, owned.orders, at),
    sealSecrets(tx, encryption, receiptId, secrets),
    uid === undefined ? undefined : noteEndedUser(tx, encryption, { firebaseUid: uid, at }),
    noteErasedReferences(tx, encryption.cipher, person.listed, at),
    eraseRows(tx, accountId, owned),
    recordAccountDeleted(tx, keys, { accountId, receiptId }),
    appendErased(tx, erasure),
  ])
  // Art. 17(3)(e) GDPR: an operator must still answer the bank. The id of the dispute identifies no person to us.
  for (const dispute of person.openDisputes) await raiseOperatorTask(tx, erasedDisputeTask(dispute, at))
  for (const warning of warnings) await raiseOperatorTask(tx, warning)
  return { ...deletion, accountId }
}

function stepsOf({ secrets, appleByHand }: Person): NewSteps {
  const held = (...parts: unknown[]) => (parts.some((part) => part !== null) ? 'pending' : 'nothing_held')
  return {
    apple: appleByHand ? 'by_hand' : held(secrets.apple),
    google: held(secrets.google),
    stripe: held(secrets.settlements, secrets.stripeCustomer),
    stripe_redaction: held(secrets.payments),
    firebase: held(secrets.firebase),
    esim_provider: held(secrets.providerOrders),
    mail: held(secrets.address),
    temporal: 'pending',
    database: 'pending',
    backups: 'pending',
  }
}
