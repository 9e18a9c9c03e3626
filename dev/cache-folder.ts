import { homedir } from 'node:os'
import { join } from 'node:path'

/** The user's cache of things that are slow to make, shared by all checkouts. */
export const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ama-esim')
