/** Hashes of operators' passwords: scrypt, with its costs and salt beside it. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { createTurns } from '../../shared/turns.ts'

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

/** 32 MB for each hash (OWASP's password storage cheat sheet: N=2^15, r=8, p=3). */
const costs = { N: 2 ** 15, r: 8, p: 3 }
const maxmem = 64 * 1024 * 1024
const hashBytes = 32

/** The hash by which a password is stored: scrypt, with its costs and a salt of its own. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derive(password.normalize('NFKC'), salt, hashBytes, { ...costs, maxmem })
  return ['scrypt', costs.N, costs.r, costs.p, salt.toString('base64'), hash.toString('base64')].join('$')
}

/** A hash that no password has: a check against it takes as long as any other. */
const nobodys = ['scrypt', costs.N, costs.r, costs.p, Buffer.alloc(16).toString('base64'), ''].join('$')

/**
 * Each hash keeps one of the process's four threads busy for half a second, and the signatures of apps' sign-in tokens
 * are checked on these threads, too.
 */
const turns = createTurns({ what: 'a check of a password', atOnce: 2, waitMs: 10_000, mostWaiting: 10 })

/**
 * @param stored undefined for an operator who does not exist: the answer takes as long and is false
 * @throws NoTurn when too many passwords are being checked
 */
export async function isPassword(password: string, stored: string | null | undefined): Promise<boolean> {
  const [, N = '', r = '', p = '', salt = '', hash = ''] = (stored ?? nobodys).split('$')
  const expected = Buffer.from(hash, 'base64')
  const options = { N: Number(N), r: Number(r), p: Number(p), maxmem }
  const endTurn = await turns.take()
  const given = await derive(password.normalize('NFKC'), Buffer.from(salt, 'base64'), hashBytes, options).finally(
    endTurn,
  )
  return expected.length === given.length && timingSafeEqual(expected, given)
}
