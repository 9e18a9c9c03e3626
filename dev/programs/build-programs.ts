/** Builds the programs of `npm start` (built.mjs). */
import { writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, extname, join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Loader, type Metafile, type Plugin } from 'esbuild'
import { makeOnce } from '../make-once.ts'
import { withoutOwnAddress } from './builds.ts'
import { builtFile, loadedAhead, type ProgramName, packagesFile, root } from './sources.ts'

const loaders: Record<string, Loader> = { '.ts': 'ts', '.tsx': 'tsx', '.json': 'json' }

const programs = ['api', 'worker'] as const

/** All programs, and what their processes load before they begin. */
const entryPoints = [
  'cli/start-embedded.ts',
  'dev/simulators/main.ts',
  ...programs.flatMap((program) => [`${program}/main.ts`, ...loadedAhead[program]]),
]

/**
 * Builds all programs into a folder, or leaves it as it is when another process makes it meanwhile.
 * @param inputs the contents of the sources; files on disk are not read
 * @throws if the sources do not build, or import another file; esbuild prints why
 */
export async function buildPrograms(folder: string, inputs: ReadonlyMap<string, Buffer>): Promise<void> {
  const fromInputs: Plugin = {
    name: 'from-inputs',
    setup({ onLoad }) {
      onLoad({ filter: /./, namespace: 'file' }, ({ path }) => {
        const content = inputs.get(relative(root, path))
        if (!content) throw new Error(`${path} is not among the inputs: add it to dev/programs/built.mjs`)
        const contents = withoutOwnAddress(content.toString(), pathToFileURL(path))
        return { contents, loader: loaders[extname(path)] ?? 'js', resolveDir: dirname(path) }
      })
    },
  }
  await makeOnce(folder, async (outdir) => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [...new Set(entryPoints)],
      outdir,
      outbase: root,
      outExtension: { '.js': '.mjs' },
      chunkNames: 'chunks/[name]-[hash]',
      bundle: true,
      // Modules that are loaded late stay so, and modules that programs share are there once.
      splitting: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: `node${process.versions.node}`,
      tsconfigRaw: inputs.get('tsconfig.json')?.toString() ?? '{}',
      // tsx keeps names as well.
      keepNames: true,
      sourcemap: true,
      sourcesContent: false,
      metafile: true,
      plugins: [fromInputs],
    })
    const packages = Object.fromEntries(programs.map((program) => [program, loadedPackages(metafile, outdir, program)]))
    await writeFile(join(outdir, packagesFile), JSON.stringify(packages))
  })
}

/** The packages that a program loads at its start. */
function loadedPackages({ outputs }: Metafile, outdir: string, program: ProgramName): string[] {
  const files = new Set([relative(root, builtFile(outdir, `${program}/main.ts`)).replaceAll(sep, '/')])
  const packages = new Set<string>()
  for (const file of files) {
    for (const { path, external, kind } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && !isBuiltin(path)) (external ? packages : files).add(path)
    }
  }
  return [...packages].sort()
}
