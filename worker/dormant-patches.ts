/**
 * Patches that this build can replay but does not activate in new runs. The release after it empties the list, which
 * activates them, and can be rolled back to this one. See docs/changing-workflows.md, Roll back.
 */
export const dormantPatches: readonly string[] = []
