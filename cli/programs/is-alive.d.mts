/** Whether a process is there, also another user's. */
export function isAlive(pid: number): boolean
