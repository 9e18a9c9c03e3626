import { InterceptingCall, type Interceptor } from '@grpc/grpc-js'
import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { type Config, ConfigurationError } from '../config.ts'
import { assertOutsideTransaction } from '../shared/transaction-scope.ts'
import { endLateRetries } from './late-retry.ts'
import { createDataConverter } from './payload-codec.ts'

type Settings = Pick<Config, 'NODE_ENV' | 'PAYLOAD_KEYS'>

/**
 * A client for the configured Temporal service: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, TLS, API key and profiles as
 * the `temporal` CLI reads them (https://docs.temporal.io/develop/environment-configuration). It does not dial until
 * first used, so that a process starts, and reports itself not ready, while Temporal is away.
 * @param environment instead of the process's, for the embedded server
 * @throws ConfigurationError in production when no address is configured
 */
export function connectTemporal(config: Settings, environment?: Record<string, string>): Client {
  const { connection: options, namespace } = temporalSettings(config, environment)
  return new Client({
    connection: Connection.lazy({ ...options, ...outages }),
    ...(namespace !== undefined && { namespace }),
    dataConverter: createDataConverter(config.PAYLOAD_KEYS),
  })
}

const refuseInsideTransaction: Interceptor = (options, nextCall) => {
  assertOutsideTransaction('Temporal')
  return new InterceptingCall(nextCall(options))
}

/**
 * Six attempts bridge three seconds, a restart; the SDK's ten would keep a caller waiting for twenty. A lost connection
 * is tried again every two seconds: left to itself, gRPC waits ever longer, up to two minutes.
 */
const outages = {
  interceptors: [
    refuseInsideTransaction,
    makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: 6 })),
    endLateRetries,
  ],
  channelArgs: { 'grpc.max_reconnect_backoff_ms': 2_000 },
}

/** Where the Temporal service is and how to get in, for clients and workers alike. Parameters as above. */
export function temporalSettings(config: Settings, environment?: Record<string, string>) {
  const { connectionOptions, namespace } = loadClientConnectConfig(
    environment ? { overrideEnvVars: environment, disableFile: true } : {},
  )
  const { address, tls, apiKey, metadata } = connectionOptions
  if (config.NODE_ENV === 'production' && !address) {
    throw new ConfigurationError('The configuration has 1 fault(s):\n  TEMPORAL_ADDRESS: missing')
  }
  return {
    namespace,
    connection: {
      ...(address !== undefined && { address }),
      ...(tls !== undefined && { tls }),
      ...(apiKey !== undefined && { apiKey }),
      ...(metadata !== undefined && { metadata: metadata as Record<string, string> }),
    },
  }
}
