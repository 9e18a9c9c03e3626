import { InterceptingCall, type Interceptor, status } from '@grpc/grpc-js'
import { Client, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { type Config, ConfigurationError, givenSettings } from '../config.ts'
import { messageOf } from '../shared/process/message-of.ts'
import { assertOutsideTransaction } from '../shared/transaction-scope.ts'
import { endLateRetries } from './late-retry.ts'
import { ConnectionWithAdmin } from './listed-runs.ts'
import { createDataConverter } from './payload-codec.ts'

type Settings = Pick<Config, 'NODE_ENV' | 'PAYLOAD_KEYS'>

/**
 * Makes a client for the configured Temporal service: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, TLS, API key and
 * profiles as the `temporal` CLI reads them (https://docs.temporal.io/develop/environment-configuration). It connects
 * at its first use, so that a process can start, and report that it is not ready, while Temporal is down.
 * @param environment replaces the environment of the process, for the embedded server
 * @param longRetries of a command that must not end half-way; without it a call fails within seconds
 * @throws ConfigurationError for what cannot be read, and in production when no address is configured
 */
export function connectTemporal(
  config: Settings,
  environment?: Record<string, string>,
  longRetries?: LongRetries,
): Client {
  const { connection: options, namespace } = temporalSettings(config, environment)
  return new Client({
    connection: inWords(() => ConnectionWithAdmin.lazy({ ...options, ...retryOptions(longRetries) })),
    ...(namespace !== undefined && { namespace }),
    dataConverter: createDataConverter(config.PAYLOAD_KEYS),
  })
}

const refuseInsideTransaction: Interceptor = (options, nextCall) => {
  assertOutsideTransaction('Temporal')
  return new InterceptingCall(nextCall(options))
}

/** Calls are repeated for three minutes, once the server has answered any of them. */
export interface LongRetries {
  /** before the second attempt; default: 1,000 while the server limits its requests, 100 otherwise */
  firstPauseMs?: number
}

/**
 * Six attempts take three seconds, as long as a restart; the SDK's ten would keep a caller waiting for twenty seconds.
 */
const brief = defaultGrpcRetryOptions({ maxAttempts: 6 })

/**
 * A server that has just started again refuses with RESOURCE_EXHAUSTED while its runs catch up, for longer than the
 * three seconds. One that has never answered may be the wrong address, which an operator should learn at once.
 */
function retriesForMinutes({ firstPauseMs }: LongRetries) {
  const whileStarting = defaultGrpcRetryOptions({
    maxAttempts: 40,
    ...(firstPauseMs !== undefined && { initialIntervalMs: () => firstPauseMs }),
  })
  let hasAnswered = false
  const noteAnswer: Interceptor = (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        next(metadata, {
          onReceiveStatus(received, nextStatus) {
            if (received.code === status.OK || received.code === status.RESOURCE_EXHAUSTED) hasAnswered = true
            nextStatus(received)
          },
        })
      },
    })
  const retries = makeGrpcRetryInterceptor({
    delayFunction: whileStarting.delayFunction,
    retryableDecider: (attempt, received) => (hasAnswered ? whileStarting : brief).retryableDecider(attempt, received),
  })
  return [retries, noteAnswer]
}

/** gRPC reconnects every two seconds; by default its waits grow up to two minutes. */
const retryOptions = (longRetries: LongRetries | undefined) => ({
  interceptors: [
    refuseInsideTransaction,
    ...(longRetries ? retriesForMinutes(longRetries) : [makeGrpcRetryInterceptor(brief)]),
    endLateRetries,
  ],
  channelArgs: { 'grpc.max_reconnect_backoff_ms': 2_000 },
})

/** What is none of these words would switch TLS off. */
const flags = ['TEMPORAL_TLS', 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION']

/** The lines after the first one of a fault of the file are the file's own, with its keys. */
function inWords<Made>(make: () => Made): Made {
  try {
    return make()
  } catch (error) {
    throw new ConfigurationError([`TEMPORAL_*: ${messageOf(error).split('\n')[0]}`])
  }
}

/** Connection settings of clients and workers. Parameters and errors as of `connectTemporal`. */
export function temporalSettings(config: Settings, environment?: Record<string, string>) {
  const given = givenSettings(environment ?? process.env)
  const odd = flags.filter((name) => !/^(?:true|false|0|1|)$/.test(given[name] ?? ''))
  if (odd.length > 0) throw new ConfigurationError(odd.map((name) => `${name}: must be true or false`))
  const { connectionOptions, namespace } = inWords(() =>
    loadClientConnectConfig({ overrideEnvVars: given, disableFile: environment !== undefined }),
  )
  const { address, tls, apiKey, metadata } = connectionOptions
  if (config.NODE_ENV === 'production' && !address) {
    throw new ConfigurationError(['TEMPORAL_ADDRESS: missing'])
  }
  return {
    namespace,
    connection: {
      ...(address !== undefined && { address }),
      ...(tls !== undefined && { tls }),
      ...(apiKey !== undefined && { apiKey }),
      ...(metadata !== undefined && { metadata }),
    },
  }
}
