/** The signed receipt of a deletion, which its holder can verify without us. */
import type { ApiContext } from '../../context.ts'
import { findReceipt } from '../../db/erasure/deletions.ts'
import { rememberSigningKeys } from '../../db/transparency/signing-keys.ts'
import { deletionStatements } from '../../db/transparency/statements.ts'
import { countLogged, findStatement, type LogEntry } from '../../db/transparency/transparency-log.ts'
import { Problem } from '../http/problem.ts'

export interface SignedText {
  text: string
  signature: string
  keyId: string
}

export interface SignedReceipt extends SignedText {
  /** the hash by which the log has it */
  leaf: string
  /** null until the night after */
  entry: LogEntry | null
}

/** Signs a text. The public key is stored first: no signature is ever without a key to verify it by. */
export async function signText({ sql, signer }: Pick<ApiContext, 'sql' | 'signer'>, text: string): Promise<SignedText> {
  await rememberSigningKeys(sql, signer.publicKeys, new Date())
  return { text, signature: signer.sign(text), keyId: signer.keyId }
}

/**
 * The newest statement of a deletion: of the erasure, then of its completion.
 * @throws Problem not_found
 * @throws Error when it was logged and its row has been changed since: what differs from the log is not signed
 */
export async function signedReceipt(api: ApiContext, receiptId: string): Promise<SignedReceipt> {
  const { sql, cipher } = api
  const [receipt, logged] = await Promise.all([findReceipt(sql, receiptId), countLogged(sql, receiptId)])
  const statements = receipt ? deletionStatements(cipher, receipt) : []
  const newest = statements.at(-1)
  if (!newest) throw new Problem('not_found')
  const { text, leaf } = newest
  const entry = await findStatement(sql, leaf)
  if (!entry && logged >= statements.length) throw new Error('a receipt differs from the transparency log')
  return { ...(await signText(api, text)), leaf, entry: entry?.published ? entry : null }
}
