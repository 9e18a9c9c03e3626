/** Builds the programs that built.mjs finds. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, extname, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Loader, type Metafile, type Plugin } from 'esbuild'
import { builtFile, entryPoints, externalPackages, packageFilesFile, packagesFile, root } from './entry-points.ts'
import { makeOnce } from './make-once.ts'
import { withoutOwnAddress, withoutOwnPath } from './own-address.ts'

const loaders: Record<string, Loader> = { '.ts': 'ts', '.tsx': 'tsx', '.json': 'json' }

/**
 * Builds all programs of which there are sources into a folder, or leaves it as it is when another process makes it
 * meanwhile.
 * @param inputs the contents of the sources; files on disk are not read, but those of packages
 * @throws if the sources do not build, or import another file; esbuild prints why
 */
export async function buildPrograms(folder: string, inputs: ReadonlyMap<string, Buffer>): Promise<void> {
  const programs = [...new Set(entryPoints)].filter((source) => inputs.has(source))
  await makeOnce(folder, async (outdir) => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: programs,
      outdir,
      outbase: root,
      outExtension: { '.js': '.mjs' },
      chunkNames: 'chunks/[name]-[hash]',
      bundle: true,
      // Modules that are loaded late stay so, and modules that programs share are there once.
      splitting: true,
      external: externalPackages,
      format: 'esm',
      // CommonJS modules of packages ask for Node's modules, and late for others.
      banner: {
        js: `import { createRequire as requireOf } from 'node:module'; const require = requireOf(${JSON.stringify(pathToFileURL(root).href)});`,
      },
      // React's development build takes 1.5 times as long for a mail, and no source asks for this otherwise than as a
      // setting.
      define: { 'process.env.NODE_ENV': '"production"' },
      platform: 'node',
      target: `node${process.versions.node}`,
      tsconfigRaw: inputs.get('tsconfig.json')?.toString() ?? '{}',
      // Each start parses all of it. Names stay as they are, and the maps know the lines.
      minifyWhitespace: true,
      minifySyntax: true,
      // As tsx does.
      keepNames: true,
      sourcemap: true,
      sourcesContent: false,
      metafile: true,
      plugins: [fromInputs(inputs)],
    })
    const packages = programs.map((source) => [source, loadedPackages(metafile, outdir, source)])
    await writeFile(join(outdir, packagesFile), JSON.stringify(Object.fromEntries(packages)))
    await writeFile(join(outdir, packageFilesFile), JSON.stringify(await filesOfPackages(metafile)))
  })
}

const isOfPackage = (path: string): boolean => path.split(sep).includes('node_modules')

const fromInputs = (inputs: ReadonlyMap<string, Buffer>): Plugin => ({
  name: 'from-inputs',
  setup({ onLoad }) {
    onLoad({ filter: /./, namespace: 'file' }, async ({ path }) => {
      if (isOfPackage(path)) return /\.[cm]?js$/.test(path) ? { contents: await fileOfPackage(path) } : undefined
      const content = inputs.get(relative(root, path))
      if (!content) throw new Error(`${path} is not among the inputs: add it to cli/programs/built.mjs`)
      const contents = withoutOwnAddress(content.toString(), pathToFileURL(path))
      return { contents, loader: loaders[extname(path)] ?? 'js', resolveDir: dirname(path) }
    })
  },
})

/** Each start reads the maps of what it loads, and nobody looks for the lines of packages: theirs is an empty one. */
const noMap = `\n//# sourceMappingURL=data:application/json;base64,${btoa('{"version":3,"sources":[""],"mappings":"A"}')}`

const fileOfPackage = async (path: string): Promise<string> =>
  withoutOwnPath(await readFile(path, 'utf8'), pathToFileURL(path)) + noMap

/** The packages that a program loads from where they are when it begins. */
function loadedPackages({ outputs }: Metafile, outdir: string, source: string): string[] {
  const files = new Set([relative(root, builtFile(outdir, source)).replaceAll(sep, '/')])
  const packages = new Set<string>()
  for (const file of files) {
    for (const { path, external, kind } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && !isBuiltin(path)) (external ? packages : files).add(path)
    }
  }
  return [...packages].sort()
}

/** By their paths: size and time of change, as built.mjs compares them. */
async function filesOfPackages({ inputs }: Metafile): Promise<Record<string, string>> {
  const files = Object.keys(inputs)
    .map((file) => resolve(root, file))
    .filter(isOfPackage)
  const known = await Promise.all(
    files.map(async (file) => {
      const { size, mtimeMs } = await stat(file)
      return [file, `${size} ${mtimeMs}`]
    }),
  )
  return Object.fromEntries(known)
}
