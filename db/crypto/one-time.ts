/** Secrets of 256 random bits. They cannot be guessed, hence a plain hash protects them. */
import { createHash, randomBytes } from 'node:crypto'

/** A new secret: 43 characters of base64url. */
export const newSecret = (): string => randomBytes(32).toString('base64url')

/** The hash by which a secret is stored: SHA-256, as secrets are random. */
export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()
