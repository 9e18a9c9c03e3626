import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder that others may be making at the same moment, in this process or another: whole or not at all, and
 * whoever comes second leaves the first one's.
 * @param fill puts everything into the folder it is given, which is there and empty
 */
export async function makeOnce(target: string, fill: (folder: string) => Promise<unknown>): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const unfinished = `${target}.${randomUUID()}.tmp`
  await mkdir(unfinished)
  try {
    await fill(unfinished)
    await rename(unfinished, target)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    if (!(await isThere(target))) throw error
  }
}

export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
