/**
 * Writes the access log; nothing else does. Each reading of a person by an operator or the app backend, and each
 * export, is recorded before it is sent. An answer whose access cannot be recorded is not sent: nobody gets data
 * unseen. The log is in the database that the data came from, so this refuses nothing that could have been answered
 * otherwise.
 */
import type { Context } from '../../context.ts'
import { type Access, recordAccesses } from '../../db/access/access-log.ts'
import { createGroupWriter } from '../../shared/group-writes.ts'
import type { Caller } from './caller.ts'
import type { AnyReply, Route } from './route.ts'

/** Where a route that says nothing itself has the ids of accounts. */
interface AnsweredRequest {
  accountId: string | undefined
  reply: AnyReply
}

export interface Reading extends AnsweredRequest {
  caller: Caller
  route: Route
  operation: string
  requestId: string
}

/** Requests at the same time share an insert, and take one connection together. */
export function createAccessRecorder({ sql }: Pick<Context, 'sql'>) {
  const write = createGroupWriter<Access>((accesses) => recordAccesses(sql, accesses))

  return async function record({ caller, route, operation, requestId, ...answered }: Reading): Promise<void> {
    const { reads } = route
    // A form that comes back with its faults shows a person as well; nothing is read of what is not changed, or leads
    // on.
    const hasContent = answered.reply.body !== undefined || answered.reply.raw !== undefined
    if (!reads || !hasContent) return
    const actor = actorOfAccess(caller, reads.includes('everything'))
    const accountIds = actor ? [...accountsIn(answered)] : []
    if (!actor || accountIds.length === 0) return
    await write({ ...actor, at: new Date(), accountIds, route: operation, fields: reads, requestId })
  }
}

/** Null for a person who reads their own data; an export is recorded for every caller, since it holds everything. */
function actorOfAccess(caller: Caller, isExport: boolean): Pick<Access, 'actorKind' | 'actorId' | 'session'> | null {
  switch (caller.kind) {
    case 'service':
    case 'operator':
      return { actorKind: caller.kind, actorId: caller.keyId, session: null }
    case 'console':
      return { actorKind: 'operator', actorId: caller.id, session: caller.session }
    case 'visitor':
      return isExport ? { actorKind: 'person', actorId: null, session: caller.session } : null
    default:
      return isExport ? { actorKind: 'person', actorId: null, session: null } : null
  }
}

/** The account of the path, what the handler has named, and each `accountId` of the body and of its lists. */
function accountsIn({ accountId, reply }: AnsweredRequest): Set<string> {
  const found = new Set([...(accountId === undefined ? [] : [accountId]), ...(reply.about ?? [])])
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || value instanceof Date) return
    for (const [name, part] of Object.entries(value)) {
      if (name === 'accountId' && typeof part === 'string') found.add(part)
      else visit(part)
    }
  }
  visit(reply.body)
  return found
}
