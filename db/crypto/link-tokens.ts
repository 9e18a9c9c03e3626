/** Secrets of mailed links that work once. */
import type { Queryable } from '../connection/database.ts'
import { hashOf, newSecret } from './one-time.ts'

export type LinkPurpose = 'sign_in' | 'email_change_old' | 'email_change_new'

export interface LinkToken {
  accountId: string
  subjectId: string | null
  next: string | null
}

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
  })}`
  return secret
}

/** Reads a link without spending it, since mail scanners follow links. */
export async function peekLinkToken(
  sql: Queryable,
  secret: string,
  purposes: readonly LinkPurpose[],
  at: Date,
): Promise<(LinkToken & { purpose: LinkPurpose }) | undefined> {
  const [row] = await sql<(LinkToken & { purpose: LinkPurpose })[]>`
    select purpose, account_id as "accountId", subject_id as "subjectId", next from link_tokens
    where token_hash = ${hashOf(secret)} and purpose in ${sql(purposes)} and expires_at > ${at}`
  return row
}

/** Spends a link. Undefined when it is unknown, expired or spent. */
export async function spendLinkToken(
  sql: Queryable,
  secret: string,
  purpose: LinkPurpose,
  at: Date,
): Promise<LinkToken | undefined> {
  const [row] = await sql<(LinkToken & { inTime: boolean })[]>`
    delete from link_tokens where token_hash = ${hashOf(secret)} and purpose = ${purpose}
    returning account_id as "accountId", subject_id as "subjectId", next, expires_at > ${at} as "inTime"`
  return row?.inTime ? row : undefined
}

/** Deletes expired links. */
export async function forgetLinkTokens(sql: Queryable, at: Date): Promise<void> {
  await sql`delete from link_tokens where expires_at <= ${at}`
}
