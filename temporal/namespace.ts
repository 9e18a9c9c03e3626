/** The namespace of our runs: what it needs, whether it has it, and making it. */
import { setTimeout as pause } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import type { Client } from '@temporalio/client'
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes.js'
import { msToNumber, msToTs } from '@temporalio/common/lib/time.js'
import { milliseconds } from '../policy/periods.ts'
import { searchAttributes } from '../shared/search-attributes.ts'
import { hasStatus, isNotFound } from './grpc-status.ts'
import { assertTemporalReady, defaultRetentionDays } from './readiness.ts'

const { day: dayMs } = milliseconds
/** Hosted clusters offer no operator service. */
const refusals = [status.PERMISSION_DENIED, status.UNIMPLEMENTED, status.UNAUTHENTICATED]

const wanted = Object.values(searchAttributes).map(({ name, type }) => {
  const indexed = encodeSearchAttributeIndexedValueType(type)
  if (indexed === undefined) throw new Error(`search attribute ${name}: the type ${type} is unknown here`)
  return { name, type, indexed }
})

export interface NamespaceState {
  exists: boolean
  retentionDays: number
  /** with their types */
  missing: string[]
  /** that exist with another type, which nobody can change */
  mistyped: string[]
  /** whether only Temporal's own programs may change search attributes, as in Temporal Cloud */
  isHosted: boolean
}

/** Reads what the namespace has and lacks. @throws ServiceError when Temporal cannot be asked */
export async function readNamespace(client: Client): Promise<NamespaceState> {
  const { namespace } = client.options
  const absent = wanted.map(({ name, type }) => `${name} (${type})`)
  const described = await client.workflowService.describeNamespace({ namespace }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined
    throw error
  })
  if (!described) return { exists: false, retentionDays: 0, missing: absent, mistyped: [], isHosted: false }
  const seconds = Number(described.config?.workflowExecutionRetentionTtl?.seconds ?? 0)
  const state = { exists: true, retentionDays: (seconds * 1000) / dayMs, missing: [], mistyped: [], isHosted: false }
  try {
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace })
    const there = new Map(Object.entries(customAttributes))
    return {
      ...state,
      missing: wanted.filter(({ name }) => !there.has(name)).map(({ name, type }) => `${name} (${type})`),
      mistyped: wanted
        .filter(({ name, indexed }) => there.has(name) && there.get(name) !== indexed)
        .map(({ name, type }) => `${name} (must be ${type})`),
    }
  } catch (error) {
    if (!isRefusal(error)) throw error
    const complete = await assertTemporalReady(client, 5_000).then(
      () => true,
      () => false,
    )
    return { ...state, missing: complete ? [] : absent, isHosted: true }
  }
}

/** What helps where a search attribute has another type. */
export const retyping =
  'nobody can change a type: set another TEMPORAL_NAMESPACE, or remove the attribute if no other program needs it (temporal operator search-attribute remove), then npm run setup'

/**
 * Makes the namespace, gives it its retention unless it keeps runs longer, and adds the missing search attributes. It
 * can be repeated.
 * @returns what was changed
 * @throws Error when an attribute has another type; ServiceError, also where only Temporal's own programs may do it
 */
export async function prepareNamespace(client: Client, retentionDays = defaultRetentionDays): Promise<string[]> {
  const { namespace } = client.options
  const workflowExecutionRetentionTtl = msToTs(retentionDays * dayMs)
  const before = await readNamespace(client)
  if (before.mistyped.length > 0)
    throw new Error(`search attributes of ${namespace} have another type: ${before.mistyped.join(', ')}; ${retyping}`)
  const changes: string[] = []
  if (!before.exists) {
    await client.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: workflowExecutionRetentionTtl,
    })
    changes.push(`made the namespace ${namespace}, which keeps closed runs for ${retentionDays} days`)
  } else if (before.retentionDays < retentionDays) {
    await client.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } })
    changes.push(`closed runs are kept for ${retentionDays} days instead of ${before.retentionDays}`)
  }
  if (before.missing.length > 0) {
    await addSearchAttributes(client, namespace, before)
    changes.push(`added the search attributes ${before.missing.join(', ')}`)
  }
  return changes
}

/** A namespace that was just made is known to all parts of a cluster after some seconds. */
async function addSearchAttributes(client: Client, namespace: string, { missing }: NamespaceState): Promise<void> {
  const names = new Set(missing.map((each) => each.split(' ')[0]))
  const lacking = wanted.filter(({ name }) => names.has(name)).map(({ name, indexed }) => [name, indexed])
  const giveUpAt = Date.now() + msToNumber('60 seconds')
  for (;;) {
    try {
      await client.connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(lacking),
      })
      return
    } catch (error) {
      if (!isNotFound(error) || Date.now() > giveUpAt) throw error
      await pause(1_000)
    }
  }
}

/** Whether Temporal refuses to do this for our programs. */
export const isRefusal = (error: unknown): boolean => hasStatus(error, ...refusals)
