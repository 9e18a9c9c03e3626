/** The imports of a source file, read from its text, since TypeScript 7 has no API for programs. */
import { dirname, join } from 'node:path'

export interface Import {
  /** a file, by its path from the root of the project, or the name of a package */
  target: string
  isPackage: boolean
  typeOnly: boolean
}

const statement =
  /^(?:import|export)\s+(type\s+)?[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)(\s*\.[A-Z])?/gm

/** All static and dynamic imports of a file of the project, except Node's modules. */
export function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(statement)].flatMap(([, type, from, bare, dynamic, typeName]): Import[] => {
    const source = from ?? bare ?? dynamic ?? ''
    if (source.startsWith('node:')) return []
    const typeOnly = type !== undefined || typeName !== undefined
    if (source.startsWith('.')) return [{ target: join(dirname(file), source), isPackage: false, typeOnly }]
    const parts = source.split('/').slice(0, source.startsWith('@') ? 2 : 1)
    return [{ target: parts.join('/'), isPackage: true, typeOnly }]
  })
}
