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
