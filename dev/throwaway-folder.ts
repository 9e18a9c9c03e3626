import { mkdtemp, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const inMemory = '/dev/shm'
/** Enough for several stacks; a container often has only 64 MB. */
const enoughBytes = 2 * 1024 ** 3

/**
 * Makes a folder for temporary data, in memory if there is enough.
 * @param onDisk puts it on disk, for measurements of its cost
 */
export async function throwawayFolder(prefix: string, { onDisk = false } = {}): Promise<string> {
  if (onDisk) return await mkdtemp(join(tmpdir(), prefix))
  const free = await statfs(inMemory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0, // Other systems have no such folder.
  )
  return await mkdtemp(join(free > enoughBytes ? inMemory : tmpdir(), prefix))
}
