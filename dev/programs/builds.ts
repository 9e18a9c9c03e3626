/**
 * Makes one file of all sources of a program, for `npm run dev`: a process loads it in a tenth of the time that the
 * hundreds of files take one after the other. Packages are not in it; a process that is kept ready has loaded them
 * before.
 */
import { readFile, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Plugin } from 'esbuild'
import { type ProgramName, root } from '../../cli/programs/entry-points.ts'
import { withoutOwnAddress } from '../../cli/programs/own-address.ts'
import { throwawayFolder } from '../throwaway-folder.ts'

export interface Builds {
  /** the file of a program; it is there once the program was built */
  fileOf(program: ProgramName): Promise<string>
  /** Makes the file anew from the sources as they are now. @throws if they do not build; esbuild prints why */
  build(program: ProgramName): Promise<void>
  /** Deletes the files. */
  close(): Promise<void>
}

export function createBuilds(): Builds {
  let made: Promise<string> | undefined
  const folder = (): Promise<string> => {
    made ??= makeFolder()
    return made
  }
  const fileOf = async (program: ProgramName): Promise<string> => join(await folder(), `${program}.mjs`)
  return {
    fileOf,
    async build(program) {
      const { build } = await import('esbuild')
      await build({
        absWorkingDir: root,
        entryPoints: [`${program}/main.ts`],
        outfile: await fileOf(program),
        bundle: true,
        packages: 'external',
        format: 'esm',
        platform: 'node',
        target: `node${process.versions.node}`,
        // tsx keeps names as well.
        keepNames: true,
        sourcemap: true,
        sourcesContent: false,
        plugins: [sourceUrls],
      })
    },
    async close() {
      if (made) await rm(await made, { recursive: true, force: true })
    },
  }
}

/** A folder from which the project's packages are found. */
async function makeFolder(): Promise<string> {
  const folder = await throwawayFolder('ama-esim-programs-')
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  return folder
}

/** Leaves each source the address that it has: some read files beside them. */
const sourceUrls: Plugin = {
  name: 'source-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const contents = withoutOwnAddress(text, pathToFileURL(path))
      return contents === text ? undefined : { contents, loader: 'ts' }
    })
  },
}
