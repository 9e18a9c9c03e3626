import { InterceptingCall, type Interceptor, Metadata, status } from '@grpc/grpc-js'

/**
 * Ends the retry of a call whose connection has been closed. The SDK retries from a timer, where gRPC's error "Channel
 * has been shut down" is not caught and would end the process during its shutdown (@temporalio/client 1.24,
 * lib/grpc-retry.js). It has to come after the interceptor that retries.
 */
export const endLateRetries: Interceptor = (options, nextCall) => {
  try {
    return new InterceptingCall(nextCall(options))
  } catch (error) {
    return new InterceptingCall(endedCall(error instanceof Error ? error.message : typeof error))
  }
}

const endedCall = (details: string): ConstructorParameters<typeof InterceptingCall>[0] => ({
  start: (_metadata, listener) => {
    listener?.onReceiveStatus?.({ code: status.CANCELLED, details, metadata: new Metadata() })
  },
  sendMessage() {},
  sendMessageWithContext() {},
  startRead() {},
  halfClose() {},
  cancelWithStatus() {},
  getPeer: () => '',
  getAuthContext: () => null,
})
