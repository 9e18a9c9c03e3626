/** Asks a Temporal server whether its namespace is ready, with Temporal's client, which takes long to load. */
import { Connection } from '@temporalio/client'
import { msToNumber, msToTs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'
import { defaultRetentionDays } from '../../temporal/readiness.ts'
import type { SearchAttributeType } from './temporal.ts'

interface NamespaceOptions {
  address: string
  namespace: string
  searchAttributes?: Readonly<Record<string, SearchAttributeType>>
}

/** The CLI's default is a day. */
const retention = `${defaultRetentionDays} days` as const

/** @returns `prepare`, which resolves when the namespace has what it needs, and throws while it cannot be reached */
export function connectNamespace(options: NamespaceOptions) {
  const connection = Connection.lazy({
    address: options.address,
    // Without the SDK's retries, which could throw from a timer after the connection is closed: the caller retries.
    interceptors: [],
    // The default first retry comes after a second, which is longer than the server's start.
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 20, 'grpc.max_reconnect_backoff_ms': 100 },
  })
  return {
    prepare: () => connection.withDeadline(Date.now() + 2_000, () => prepareNamespace(connection, options)),
    close: () => connection.close(),
  }
}

/** Updates the namespace: a data file from an earlier start can lack new options. */
async function prepareNamespace(connection: Connection, options: NamespaceOptions): Promise<void> {
  const { namespace, searchAttributes = {} } = options
  const description = await connection.workflowService.describeNamespace({ namespace })
  if (Number(description.config?.workflowExecutionRetentionTtl?.seconds ?? 0) < msToNumber(retention) / 1000) {
    await connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(retention) },
    })
  }
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const missing = Object.entries(searchAttributes).filter(([name]) => customAttributes[name] === undefined)
  if (missing.length === 0) return
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, indexedValueTypes[type]])),
  })
}

const { IndexedValueType } = proto.temporal.api.enums.v1
const indexedValueTypes = {
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  KeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  Text: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
  Int: IndexedValueType.INDEXED_VALUE_TYPE_INT,
  Double: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
  Bool: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
  Datetime: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
} as const
