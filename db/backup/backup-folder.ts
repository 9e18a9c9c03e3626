/**
 * The backup folder: dumps, the newest key snapshot, and the newest copy of the deletion ledger. The folder is the
 * truth, since the catalogue of backups is as old as the dump after a restore. It should be on another machine.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Keyring } from '../crypto/field-cipher.ts'
import {
  type BackupPurpose,
  backupPurposes,
  decryptBackup,
  encryptBackup,
  headerAtMostBytes,
  keyIdOf,
  UnreadableBackup,
} from './backup-cipher.ts'

export interface StoredFile {
  /** the time in the file's name, by the clock of the run that wrote it: `2026-06-20T03-00-00-000Z` */
  id: string
  purpose: BackupPurpose
  at: Date
  bytes: number
}

export type BackupFolder = ReturnType<typeof openBackupFolder>

const fileForm = /^(dump|keys|ledger)-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z)\.enc$/
const partial = '.partial'

/** The time at which a backup was started. */
export const timeOfBackup = (id: string): Date =>
  new Date(id.replace(/T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z$/, 'T$1:$2:$3.$4Z'))

/** Opens the backup folder. @param folder its path; a missing folder is created */
export function openBackupFolder(folder: string, keyring: Keyring) {
  const pathOf = (purpose: BackupPurpose, id: string): string => join(folder, `${purpose}-${id}.enc`)

  function isKnown(beginning: Buffer): boolean {
    try {
      return keyring.keys.has(keyIdOf(beginning))
    } catch (error) {
      if (error instanceof UnreadableBackup) return false
      throw error
    }
  }

  return {
    /**
     * Encrypts a stream into a file, which gets its name only once it is complete and on disk.
     * @param options.beforeNamed what has to be there when the file is; without it the file never gets its name
     * @returns the file's length in bytes
     */
    async write(
      purpose: BackupPurpose,
      id: string,
      source: Readable,
      options: { signal?: AbortSignal; beforeNamed?: () => Promise<void> } = {},
    ): Promise<number> {
      const { signal, beforeNamed } = options
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const path = pathOf(purpose, id)
      // An attempt whose worker counts as lost may go on writing beside the next one.
      const unfinished = `${path}.${randomUUID()}${partial}`
      try {
        const file = createWriteStream(unfinished, { mode: 0o600, flush: true })
        await pipeline(source, encryptBackup(keyring, purpose), file, signal ? { signal } : {})
        await beforeNamed?.()
        await rename(unfinished, path)
        await syncFolder(folder)
        return (await stat(path)).size
      } catch (error) {
        await rm(unfinished, { force: true })
        throw error
      }
    },

    /** A file's plain bytes. The stream fails with UnreadableBackup for a damaged file. */
    read(purpose: BackupPurpose, id: string): Readable {
      const file = createReadStream(pathOf(purpose, id))
      const plain = decryptBackup(keyring, purpose)
      file.once('error', (error) => plain.destroy(error))
      plain.once('close', () => file.destroy())
      return file.pipe(plain)
    },

    /** The files of a purpose, the oldest first. A missing folder has none. */
    async list(purpose: BackupPurpose): Promise<StoredFile[]> {
      const files: StoredFile[] = []
      for (const name of (await namesIn(folder)).sort()) {
        const [, kind, id = ''] = fileForm.exec(name) ?? []
        if (kind !== purpose) continue
        const found = await statIfThere(join(folder, name))
        if (found) files.push({ id, purpose, at: timeOfBackup(id), bytes: found.size })
      }
      return files
    },

    /** The files of all purposes. */
    async listAll(): Promise<StoredFile[]> {
      return (await Promise.all(backupPurposes.map((purpose) => this.list(purpose)))).flat()
    },

    /** Which of the files no key of ours opens, by their beginnings: what follows is not read. */
    async unreadable(files: readonly StoredFile[]): Promise<StoredFile[]> {
      const found: StoredFile[] = []
      for (const file of files) {
        const beginning = await beginningOf(pathOf(file.purpose, file.id))
        if (beginning && !isKnown(beginning)) found.push(file)
      }
      return found
    },

    /** Deletes a file; repeatable. */
    async delete(purpose: BackupPurpose, id: string): Promise<void> {
      await rm(pathOf(purpose, id), { force: true })
      await syncFolder(folder)
    },

    /** Deletes unfinished files of killed writers. @param before writers that began earlier are certainly dead */
    async deleteUnfinished(before: Date): Promise<void> {
      for (const name of (await namesIn(folder)).filter((each) => each.endsWith(partial))) {
        const path = join(folder, name)
        const found = await statIfThere(path)
        if (found && found.mtime < before) await rm(path, { force: true })
      }
    },
  }
}

/** Another run may delete or rename a file after it was listed: backups and the transparency log share the folder. */
function unlessGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

const statIfThere = (path: string) => stat(path).catch(unlessGone)

/** None in a folder that no backup was written to yet. */
const namesIn = async (folder: string): Promise<string[]> => (await readdir(folder).catch(unlessGone)) ?? []

async function beginningOf(path: string): Promise<Buffer | undefined> {
  const file = await open(path, 'r').catch(unlessGone)
  if (!file) return undefined
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headerAtMostBytes), 0, headerAtMostBytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** A rename or a removal is on disk only once its folder is synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
