/** How soon an attempt is given up whose worker is gone. Workflows ask for it, and workers keep it up. */

/** The heartbeat timeout of activities that say nothing themselves: their worker does, while its process lives. */
export const lostAfterMs = 5_000
/** A blocked event loop or a slow answer of Temporal may hold several back. */
export const signOfLifeEveryMs = 1_000
