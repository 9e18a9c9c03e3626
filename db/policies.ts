/** N1, a material change of the policy is posted: the versions of the privacy policy and their states. */
import { readFile } from 'node:fs/promises'
import { firstPolicy } from '../policy/versions.ts'
import type { Queryable, Transaction } from './connection/database.ts'
import type { Policies } from './connection/schema.ts'

export type Policy = Policies

/** Stores the first version, in force since its day, unless there is a version. */
export async function seedPolicies(sql: Queryable): Promise<void> {
  const { version, title, text, postedAt } = firstPolicy
  const body = await readFile(text, 'utf8')
  await sql`
    insert into policies (version, title, body, changes, material, state, created_at, created_by, posted_at,
      announced_for, effective_at)
    select ${version}, ${title}, ${body}, '{}', false, 'in_force', ${postedAt}, 'installation', ${postedAt},
      ${postedAt}, ${postedAt}
    where not exists (select from policies) on conflict do nothing`
}

export type NewPolicy = Pick<Policy, 'version' | 'title' | 'body' | 'changes' | 'material' | 'effective_at'>

/** Stores a draft. @returns the stored version; an existing one stays as it is, so the caller has to compare */
export async function insertDraft(
  sql: Queryable,
  policy: NewPolicy,
  { by, at }: { by: string; at: Date },
): Promise<Policy> {
  await sql`
    insert into policies ${sql({ ...policy, announced_for: policy.effective_at, state: 'draft', created_at: at, created_by: by } satisfies Partial<Policies>)}
    on conflict (version) do nothing`
  const found = await findPolicy(sql, policy.version)
  if (!found) throw new Error('a policy was deleted as it was written')
  return found
}

/** The version, drafts too, or undefined. */
export async function findPolicy(sql: Queryable, version: string): Promise<Policy | undefined> {
  const [row] = await sql<Policy[]>`select * from policies where version = ${version}`
  return row
}

/** All posted versions, the newest first. */
export async function listPolicies(sql: Queryable): Promise<Policy[]> {
  return sql<Policy[]>`select * from policies where posted_at is not null order by posted_at desc, version desc`
}

/** The mailed versions whose day is still to come, those that were withdrawn before it, too. */
export async function listComing(sql: Queryable, at: Date): Promise<Policy[]> {
  return sql<Policy[]>`
    select * from policies where material and state in ('posted', 'withdrawn') and posted_at is not null
      and effective_at > ${at} order by version`
}

/** The version that a sign-up accepts now: the coming one, else the one in force. */
export async function versionForNewcomers(sql: Queryable): Promise<string> {
  const [row] = await sql<Pick<Policies, 'version'>[]>`
    select version from policies where state in ('posted', 'in_force') order by state = 'posted' desc limit 1`
  if (!row) throw new Error('no version of the policy is in force')
  return row.version
}

/**
 * The version that a new account is stored with: the one that its person has accepted, unless that was withdrawn while
 * they signed up; then the one that they would have been returned to. Until the transaction ends it is not withdrawn.
 */
export async function versionOfNewcomer(tx: Transaction, accepted: string): Promise<string> {
  const [row] = await tx<Pick<Policies, 'state'>[]>`select state from policies where version = ${accepted} for share`
  if (row && row.state !== 'withdrawn') return accepted
  const [inForce] = await tx<Pick<Policies, 'version'>[]>`select version from policies where state = 'in_force'`
  return inForce?.version ?? accepted
}

/**
 * Posts a draft; repeatable.
 * @returns `other_coming` when another version waits to take effect
 */
export async function postPolicy(
  tx: Transaction,
  version: string,
  at: Date,
): Promise<'posted' | 'other_coming' | 'ended'> {
  const [other] = await tx`select from policies where state = 'posted' and version <> ${version}`
  if (other) return 'other_coming'
  await tx`update policies set state = 'posted', posted_at = ${at} where version = ${version} and state = 'draft'`
  return (await findPolicy(tx, version))?.state === 'posted' ? 'posted' : 'ended'
}

/** Withdraws a version. @returns false when it has taken effect or is withdrawn already */
export async function withdrawPolicy(sql: Queryable, version: string, at: Date): Promise<boolean> {
  const withdrawn = await sql`
    update policies set state = 'withdrawn', ended_at = ${at} where version = ${version} and state in ('draft', 'posted')`
  return withdrawn.count === 1
}

/** Moves the date of effect; repeatable. */
export async function movePolicy(sql: Queryable, version: string, effectiveAt: Date): Promise<void> {
  await sql`update policies set effective_at = ${effectiveAt}, moves = moves + 1
    where version = ${version} and state = 'posted' and effective_at < ${effectiveAt}`
}

/** Brings a version into force and supersedes the one before. @returns false when it was withdrawn meanwhile */
export async function bringIntoForce(tx: Transaction, version: string, at: Date): Promise<boolean> {
  const [posted] = await tx`select from policies where version = ${version} and state = 'posted' for update`
  if (!posted) return false
  await tx`update policies set state = 'superseded', ended_at = ${at} where state = 'in_force'`
  await tx`update policies set state = 'in_force' where version = ${version}`
  return true
}

/** Returns the accounts that accepted a withdrawn version at sign-up to the version in force. */
export async function returnNewcomers(sql: Queryable, withdrawn: string): Promise<void> {
  await sql`update accounts set policy_version = (select version from policies where state = 'in_force')
    where policy_version = ${withdrawn}`
}
