import { InterceptingCall, type Interceptor, Metadata, status } from '@grpc/grpc-js'

/**
 * Ends a call that is to be repeated on a connection closed since. The SDK repeats from a timer, where gRPC's "Channel
 * has been shut down" would be caught by nobody and end the process in the middle of its drain (@temporalio/client 1.24,
 * lib/grpc-retry.js). To stand behind the interceptor that repeats.
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
