/**
 * One seed for each test run: `TEST_SEED`, or a new one that the first process prints and passes on.
 * `npm test -- --seed N` draws the same again: the cases of which a run takes a part, the values of properties
 * (test/setup.ts), the faults and steps of drawn lives, and the data of people. Not drawn from it: the ids, keys and
 * tokens that the program itself makes, ports, and ids of a test whose value decides nothing (`randomUUID`), as well as
 * what happens at the same time.
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

/** Starts a new stream: its values depend only on the seed and this name, not on other test files. */
export function startStream(name: string): void {
  stream = name
  drawn = 0
}

/** The next bytes of the stream. Every call of a test run returns other bytes, in all files. */
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

/** Whether this run tries all cases: `npm test -- --all`. */
export const drawsAll = process.env.TEST_ALL === '1'

/**
 * Draws a part of all cases by the seed: each case gets one in `every` items, and each item is in one of `every` cases.
 * With `npm test -- --all` each case gets all items.
 */
export function drawPart(every: number): <Item>(items: readonly Item[], atCase?: number) => Item[] {
  if (drawsAll) return (items) => [...items]
  const shift = seededInt(0, every)
  return (items, atCase = 0) => items.filter((_, index) => (index + atCase + shift) % every === 0)
}
