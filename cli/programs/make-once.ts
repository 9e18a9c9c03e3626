import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a complete folder or none, while other calls or processes may make the same one: the first one stays.
 * @param fill fills an empty folder
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
