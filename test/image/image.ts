/**
 * The content of the container image in a folder: the files that the Dockerfile copies, and the packages of production.
 */
import { execFileSync } from 'node:child_process'
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/**
 * The paths that .dockerignore, or the file of another Dockerfile, leaves to `COPY . .`, without what git ignores: a
 * build starts from a clean checkout.
 */
export async function imageFiles(ignoreFile = '.dockerignore'): Promise<string[]> {
  const rules = (await readFile(join(root, ignoreFile), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ excludes: !line.startsWith('!'), pattern: asExpression(line.replace('!', '')) }))
  const args = ['ls-files', '--cached', '--others', '--exclude-standard']
  const files = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim().split('\n')
  // The last rule that matches a path, or a folder above it, decides.
  return files.filter((file) => !rules.findLast(({ pattern }) => pattern.test(file))?.excludes)
}

const asExpression = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}(/|$)`)

interface LockedPackage {
  dev?: boolean
  optional?: boolean
}

/** The folders of node_modules that `npm ci` makes; nested ones come with those around them. */
async function installedPackages(withDevelopment: boolean): Promise<string[]> {
  const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
    await readFile(join(root, 'package-lock.json'), 'utf8'),
  )
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && (withDevelopment || !dev) && path.lastIndexOf('node_modules/') === 0)
    .map(([path]) => path)
}

/**
 * Makes a folder with the image's content, without the workflow bundles.
 * @param ignoreFile of another Dockerfile, which installs the packages of development, too
 * @returns its path
 */
export async function makeImage(ignoreFile?: string): Promise<string> {
  const folder = await throwawayFolder('ama-esim-image-')
  for (const file of await imageFiles(ignoreFile)) await cp(join(root, file), join(folder, file))
  for (const path of await installedPackages(ignoreFile !== undefined)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    // An optional package of another platform is not there: the link leads nowhere, and nothing follows it.
    await symlink(join(root, path), join(folder, path), 'dir')
  }
  return folder
}
