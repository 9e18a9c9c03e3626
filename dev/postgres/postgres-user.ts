import { execFile } from 'node:child_process'
import { cp, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { isThere, makeOnce } from '../../cli/programs/make-once.ts'

/** The system user of PostgreSQL, if it is not our own. */
export type PostgresUser = { uid: number; gid: number }

const run = promisify(execFile)
const sharedFolder = '/var/lib/ama-esim'

/**
 * PostgreSQL refuses to run as root: root runs it as the system's `postgres` user, made if missing. Other users run it
 * themselves (undefined).
 * @throws if the user is missing and cannot be made
 */
export async function postgresUser(): Promise<PostgresUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  try {
    return await lookUp()
  } catch {
    await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']).catch((cause: unknown) => {
      throw new Error('PostgreSQL cannot run as root, and the user `postgres` could not be made: run as another user', {
        cause,
      })
    })
    return await lookUp()
  }
}

async function lookUp(): Promise<PostgresUser> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])))
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) }
}

/** Whether `user` has access to every folder above `path`. A home folder such as /root usually gives none. */
export async function canReach(user: PostgresUser, path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const info = await stat(folder).catch(() => undefined)
    if (info !== undefined) {
      const mayPass = info.uid === user.uid ? 0o100 : info.gid === user.gid ? 0o010 : 0o001
      if ((info.mode & mayPass) === 0) return false
    }
    if (folder === dirname(folder)) return true
  }
}

/** Copies `folder` once to a place that every user can read. @returns the copy */
export async function sharedCopy(folder: string, name: string): Promise<string> {
  const target = join(sharedFolder, name)
  if (!(await isThere(target))) {
    await makeOnce(target, (unfinished) => cp(folder, unfinished, { recursive: true, verbatimSymlinks: true }))
  }
  return target
}

/** The folder for the data of `dataDir` when the user has no access to it. */
export function sharedDataDir(dataDir: string): string {
  return join(sharedFolder, `data-${dirname(dataDir).replaceAll(/[^A-Za-z0-9]+/g, '-')}-${basename(dataDir)}`)
}
