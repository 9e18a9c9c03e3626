import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Changes within this time count as one, since editors and `git` write several files in a row. */
const quietMs = 40

export interface FileWatch {
  close(): void
}

/**
 * Watches files for changes, additions and removals. Each folder has its own watch: on Linux a recursive watch loses
 * files that an editor replaces.
 * @param parts folders and files, relative to the root
 * @param isOfInterest selects files in those folders
 * @param onChange receives the files of one change, relative to the root
 */
export async function watchFiles(
  root: string,
  parts: readonly string[],
  isOfInterest: (file: string) => boolean,
  onChange: (files: string[]) => void,
): Promise<FileWatch> {
  const watched = new Map<string, FSWatcher>()
  const changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function note(file: string): void {
    changed.add(file)
    clearTimeout(timer)
    timer = setTimeout(() => {
      const files = [...changed].sort()
      changed.clear()
      onChange(files)
    }, quietMs)
  }

  function watchFolder(folder: string, isWatched: (name: string) => boolean): void {
    if (closed || watched.has(folder)) return
    const watcher = watch(join(root, folder), (_event, name) => {
      if (name === null || !isWatched(name)) return
      const file = join(folder, name)
      if (isOfInterest(file)) note(file)
      else void watchTree(file, note)
    })
    const unwatch = (): void => {
      watcher.close()
      watched.delete(folder)
    }
    watcher.on('error', unwatch)
    watched.set(folder, watcher)
  }

  /** @param onFound receives the files of a new folder, which may be older than its watch */
  async function watchTree(folder: string, onFound?: (file: string) => void): Promise<void> {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => undefined)
    if (!entries) {
      watched.get(folder)?.close()
      watched.delete(folder)
      return
    }
    if (watched.has(folder)) return
    watchFolder(folder, () => true)
    for (const entry of entries) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) await watchTree(path, onFound)
      else if (isOfInterest(path)) onFound?.(path)
    }
  }

  const files = new Set<string>()
  for (const part of parts) {
    if ((await stat(join(root, part))).isDirectory()) await watchTree(part)
    else files.add(part)
  }
  watchFolder('.', (name) => files.has(name))
  return {
    close() {
      closed = true
      clearTimeout(timer)
      for (const watcher of watched.values()) watcher.close()
    },
  }
}
