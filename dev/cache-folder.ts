import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where what took long to make is kept for this user's next start, of this checkout or another. */
export const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ama-esim')
