import { mkdtemp, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const inMemory = '/dev/shm'
/** Room for several stacks: a container often has 64 MB there. */
const enoughBytes = 2 * 1024 ** 3

/**
 * Makes a folder for what is thrown away: in memory where there is plenty, since nobody needs it written to a disk.
 * @param onDisk unless what it costs to write there is to be seen
 */
export async function throwawayFolder(prefix: string, { onDisk = false } = {}): Promise<string> {
  if (onDisk) return await mkdtemp(join(tmpdir(), prefix))
  const free = await statfs(inMemory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0, // another system
  )
  return await mkdtemp(join(free > enoughBytes ? inMemory : tmpdir(), prefix))
}
