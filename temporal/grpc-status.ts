/** Why Temporal has refused a call, by the status of gRPC. */
import { status } from '@grpc/grpc-js'
import { isGrpcServiceError } from '@temporalio/client'

/** Whether Temporal has refused a call or did not answer it. */
export const isOfTemporal = (error: unknown): boolean => isGrpcServiceError(error)

/** Whether a call has ended with one of these statuses. */
export const hasStatus = (error: unknown, ...codes: readonly status[]): boolean =>
  isGrpcServiceError(error) && codes.includes(error.code)

/** Whether Temporal has no such run, build or namespace. */
export const isNotFound = (error: unknown): boolean => hasStatus(error, status.NOT_FOUND)

/**
 * The status of gRPC by which Temporal has refused one call; undefined when it does not answer, or the error is none of
 * its.
 */
export function errorOfOneCall(error: unknown): string | undefined {
  // Some calls of the client wrap what the connection threw.
  const thrown = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error
  if (!isGrpcServiceError(thrown) || thrown.code === status.UNAVAILABLE) return undefined
  return status[thrown.code]?.toLowerCase()
}
