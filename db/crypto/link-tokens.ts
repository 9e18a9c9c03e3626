/** Secrets of mailed links that work once. */
import type { Queryable } from '../connection/database.ts'
import type { LinkTokens } from '../connection/schema.ts'
import { hashOf, newSecret } from './one-time.ts'

export type LinkPurpose = LinkTokens['purpose']

export interface LinkToken {
  accountId: string
  subjectId: string | null
  next: string | null
}

type LinkRow = Pick<LinkTokens, 'account_id' | 'subject_id' | 'next'>

const linkOf = (row: LinkRow): LinkToken => ({
  accountId: row.account_id,
  subjectId: row.subject_id,
  next: row.next,
})

/** Creates a link. @returns its secret, of which only a hash is stored */
export async function createLinkToken(
  sql: Queryable,
  link: { purpose: LinkPurpose; accountId: string; subjectId?: string; next?: string; at: Date; expiresAt: Date },
): Promise<string> {
  const secret = newSecret()
  await sql`insert into link_tokens ${sql({
    token_hash: hashOf(secret),
    purpose: link.purpose,
    account_id: link.accountId,
    subject_id: link.subjectId ?? null,
    next: link.next ?? null,
    created_at: link.at,
    expires_at: link.expiresAt,
  } satisfies LinkTokens)}`
  return secret
}

/**
 * Creates a link that signs in, for a mail to an address that the account still has: whoever has the address that it
 * has left must not get one. A change of address waits for it, or it for the change.
 * @returns its secret; undefined when the account has another address by now
 */
export async function createSignInLink(
  sql: Queryable,
  link: { accountId: string; addressIndex: Buffer; next: string; at: Date; expiresAt: Date },
): Promise<string | undefined> {
  const secret = newSecret()
  const made = await sql`
    insert into link_tokens (token_hash, purpose, account_id, next, created_at, expires_at)
    select ${hashOf(secret)}, 'sign_in', id, ${link.next}, ${link.at}, ${link.expiresAt} from accounts
    where id = ${link.accountId} and email_index = ${link.addressIndex} for share`
  return made.count === 1 ? secret : undefined
}

/** Reads a link without spending it, since mail scanners follow links. */
export async function peekLinkToken(
  sql: Queryable,
  secret: string,
  purposes: readonly LinkPurpose[],
  at: Date,
): Promise<(LinkToken & { purpose: LinkPurpose }) | undefined> {
  const [row] = await sql<(LinkRow & Pick<LinkTokens, 'purpose'>)[]>`
    select purpose, account_id, subject_id, next from link_tokens
    where token_hash = ${hashOf(secret)} and purpose in ${sql(purposes)} and expires_at > ${at}`
  return row && { ...linkOf(row), purpose: row.purpose }
}

/** Spends a link. Undefined when it is unknown, expired or spent. */
export async function spendLinkToken(
  sql: Queryable,
  secret: string,
  purpose: LinkPurpose,
  at: Date,
): Promise<LinkToken | undefined> {
  const [row] = await sql<(LinkRow & { in_time: boolean })[]>`
    delete from link_tokens where token_hash = ${hashOf(secret)} and purpose = ${purpose}
    returning account_id, subject_id, next, expires_at > ${at} as in_time`
  return row?.in_time ? linkOf(row) : undefined
}

/** Deletes expired links. */
export async function deleteLinkTokens(sql: Queryable, at: Date): Promise<void> {
  await sql`delete from link_tokens where expires_at <= ${at}`
}
