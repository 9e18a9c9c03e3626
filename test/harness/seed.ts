/**
 * Everything random in a test that is not merely a fresh id comes from one seed a run: `TEST_SEED`, or one chosen and
 * printed by the first process, which hands it on. `npm test -- --seed N` repeats a run.
 */
import { createHash, randomInt } from 'node:crypto'

export const seed = readSeed()

function readSeed(): number {
  process.env.TEST_SEED ??= String(randomInt(1, 2 ** 31))
  const given = Number(process.env.TEST_SEED)
  if (!Number.isInteger(given) || given < 0 || given >= 2 ** 31) {
    throw new Error(`TEST_SEED is ${process.env.TEST_SEED}: it has to be an integer from 0 to ${2 ** 31 - 1}`)
  }
  return given
}

let stream = `process ${process.pid}`
let drawn = 0

/** What is drawn from now on depends on the seed and this name, whatever other test files drew before. */
export function startStream(name: string): void {
  stream = name
  drawn = 0
}

/** The next bytes of the stream. No two calls of a run return the same, in whatever file. */
export function seededBytes(length: number): Buffer {
  drawn += 1
  return createHash('shake256', { outputLength: length })
    .update(JSON.stringify([seed, stream, drawn]))
    .digest()
}

export function seededInt(min: number, max: number): number {
  return min + (seededBytes(6).readUIntBE(0, 6) % (max - min))
}

export function seededUuid(): string {
  const bytes = seededBytes(16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
