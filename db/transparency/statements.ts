/**
 * The texts whose hashes the transparency log holds. The text of a statement never changes: it is read from rows that
 * stay.
 */
import { createHash } from 'node:crypto'
import { dayOf } from '../../shared/calendar.ts'
import type { Policies } from '../connection/schema.ts'
import type { FieldCipher } from '../crypto/field-cipher.ts'
import type { Receipt } from '../erasure/deletions.ts'

export interface Statement {
  kind: 'deletion' | 'policy' | 'evidence' | 'signing_key' | 'gap'
  /** JSON with an end of line: the file that is signed */
  text: string
  /** SHA-256 of the text, in hexadecimal */
  leaf: string
}

const issuer = 'AMA eSIM'

/** A statement whose times are days: seconds could be matched with payments. */
function statement(kind: Statement['kind'], content: object): Statement {
  const text = `${JSON.stringify({ issuer, statement: kind, ...content }, null, 2)}\n`
  return { kind, text, leaf: createHash('sha256').update(text, 'utf8').digest('hex') }
}

/**
 * The statements of a deletion: that the person was erased, and, once it is complete, what became of each erasure step.
 * Their salts are keyed hashes that no table holds: without the person's file, or our key, a leaf is a random number.
 */
export function deletionStatements(cipher: FieldCipher, receipt: Receipt): Statement[] {
  const { receiptId, reason, erasedAt, backupsGoneBy, completedAt, steps } = receipt
  const salt = (stage: string) => cipher.fingerprint('statement-salt', `${stage}\0${receiptId}`).toString('hex')
  const erasure = { receiptId, reason, erasedOn: dayOf(erasedAt), backupsGoneBy: dayOf(backupsGoneBy) }
  const erased = statement('deletion', {
    says: 'Our database holds nothing of the person since this day. Erasure steps elsewhere follow.',
    ...erasure,
    salt: salt('erased'),
  })
  if (!completedAt) return [erased]
  const completed = statement('deletion', {
    says: 'Our database holds nothing of the person since this day, and every erasure step has ended.',
    ...erasure,
    completedOn: dayOf(completedAt),
    steps: steps.map(({ processor, state, changedAt }) => ({ processor, state, on: dayOf(changedAt) })),
    salt: salt('completed'),
  })
  return [erased, completed]
}

/** @param policy a posted version */
export function policyStatement(
  policy: Pick<Policies, 'version' | 'title' | 'body' | 'material'> & { posted_at: Date },
) {
  const { version, title, body, material, posted_at } = policy
  return statement('policy', {
    says: 'We posted this version of our privacy policy on this day.',
    version,
    title,
    material,
    postedOn: dayOf(posted_at),
    textSha256: createHash('sha256').update(body, 'utf8').digest('hex'),
  })
}

/** @param evidence the figures, as GET /v1/promises answers them */
export const evidenceStatement = (evidence: object): Statement => statement('evidence', { evidence })

/** The statement that a key signs receipts. */
export const signingKeyStatement = (key: { id: string; publicKey: Buffer }): Statement =>
  statement('signing_key', {
    says: 'Receipts are signed with this Ed25519 key, too.',
    keyId: key.id,
    publicKey: key.publicKey.toString('base64'),
  })

/** The entries before `from` are lost with the database that held them; the chain goes on from the last one's hash. */
export const gapStatement = (gap: { after: number; until: number; hash: string }): Statement =>
  statement('gap', {
    says: 'A restore has lost the entries in between. The chain goes on from the hash that was kept outside.',
    ...gap,
  })
