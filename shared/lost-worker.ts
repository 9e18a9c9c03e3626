/**
 * How soon an attempt of an activity is given up whose worker is gone: workflows set the timeout, workers send
 * heartbeats.
 */

/** The heartbeat timeout of activities that send no heartbeats: their worker sends them while its process lives. */
export const lostAfterMs = 5_000
/** A blocked event loop or a slow answer of Temporal may hold several back. */
export const workerHeartbeatEveryMs = 1_000
