/** Secrets of 256 random bits, kept as hashes: a plain hash is enough for what nobody can guess. */
import { createHash, randomBytes } from 'node:crypto'

/** Base64url, 43 characters. */
export const newSecret = (): string => randomBytes(32).toString('base64url')

export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()
