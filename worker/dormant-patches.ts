/**
 * Patches that this build understands and does not use: it replays a run that has one, and begins none. The release that
 * empties the list uses them, and can be rolled back to this one. See docs/changing-workflows.md, Roll back.
 */
export const dormantPatches: readonly string[] = []
