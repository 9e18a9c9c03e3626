/** The vendors' documented examples (sim/documented), and how their shape compares with a simulator's reply. */
import { readdir, readFile } from 'node:fs/promises'

export interface Documented {
  source: string
  /** YYYY-MM-DD: when the source was read */
  seen: string
  /** the HTTP status; default 200 */
  status?: number
  /** where the simulator's reply is of another shape, and why, by path */
  simulator: { leavesOut?: Reasons; adds?: Reasons; differs?: Reasons }
  body: Record<string, unknown>
}

type Reasons = Record<string, string>

const folder = new URL('../../../sim/documented/', import.meta.url)

export async function readDocumented(vendor: string, name: string): Promise<Documented> {
  return JSON.parse(await readFile(new URL(`${vendor}/${name}.json`, folder), 'utf8'))
}

/** The names of all examples of a vendor. */
export const listDocumented = async (vendor: string): Promise<string[]> =>
  (await readdir(new URL(`${vendor}/`, folder))).map((file) => file.replace(/\.json$/, '')).sort()

/** Each path of a value with the types found there; the entries of an array share one path. */
function shapeOf(value: unknown, path = '', shape = new Map<string, Set<string>>()): Map<string, Set<string>> {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  if (path) shape.set(path, (shape.get(path) ?? new Set()).add(type))
  if (Array.isArray(value)) for (const each of value) shapeOf(each, `${path}[]`, shape)
  else if (typeof value === 'object' && value !== null)
    for (const [name, part] of Object.entries(value)) shapeOf(part, path ? `${path}.${name}` : name, shape)
  return shape
}

const isBelow = (path: string, above: string): boolean => path.startsWith(`${above}.`) || path.startsWith(`${above}[]`)

/** Compares an example with the simulator's reply. Of two paths, one below the other, only the upper is named. */
export function differences(documented: unknown, simulated: unknown) {
  const [wanted, found] = [shapeOf(documented), shapeOf(simulated)]
  const upper = (paths: string[]) => paths.filter((path) => !paths.some((above) => isBelow(path, above)))
  return {
    leavesOut: upper([...wanted.keys()].filter((path) => !found.has(path))),
    adds: upper([...found.keys()].filter((path) => !wanted.has(path))),
    differs: [...wanted].flatMap(([path, types]) => {
      const others = [...(found.get(path) ?? [])].filter((type) => !types.has(type))
      // A field that is null in the one example may hold anything.
      return others.length > 0 && !(types.size === 1 && types.has('null')) ? [path] : []
    }),
  }
}

/**
 * Compares each example with the simulator's reply, and with the differences that the example's file lists with a
 * reason.
 */
export async function compareShapes(vendor: string, replies: Readonly<Record<string, unknown>>) {
  const found: Record<string, unknown> = {}
  const listed: Record<string, unknown> = {}
  for (const [name, reply] of Object.entries(replies)) {
    const { body, simulator } = await readDocumented(vendor, name)
    const { leavesOut, adds, differs } = differences(body, reply)
    found[name] = { leavesOut: leavesOut.sort(), adds: adds.sort(), differs: differs.sort() }
    const paths = (reasons: Reasons = {}) => Object.keys(reasons).sort()
    listed[name] = {
      leavesOut: paths(simulator.leavesOut),
      adds: paths(simulator.adds),
      differs: paths(simulator.differs),
    }
  }
  return { found, listed }
}
