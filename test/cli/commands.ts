/** The commands of package.json that are programs of this project, in the order of their names there. */
import { readFileSync } from 'node:fs'

interface Command {
  name: string
  /** of Node, as package.json has them */
  args: string[]
  /** the program */
  file: string
}

const manifest: { scripts: Record<string, string> } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
)

/** Others, such as the linter, read their own arguments. */
export const commands: Command[] = Object.entries(manifest.scripts).flatMap(([name, script]) => {
  const [program, ...args] = script.split(' && ').at(-1)?.split(' ') ?? []
  // `cli/run.mjs` runs the program that is named after it.
  const file = args.findLast((each) => /\.(ts|mjs)$/.test(each))
  return program === 'node' && file !== undefined ? [{ name, args, file }] : []
})
