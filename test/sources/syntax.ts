/** Syntax trees of sources, as swc makes them. */
import { parse } from '@swc/core'

export type Node = Record<string, unknown>
export const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

/** Every node of a syntax tree, the outer ones first. */
export function nodesOf(tree: unknown, found: Node[] = []): Node[] {
  if (!isNode(tree)) return found
  found.push(tree)
  for (const child of Object.values(tree)) nodesOf(child, found)
  return found
}

export const parseSource = (text: string, file: string) =>
  parse(text, { syntax: 'typescript', tsx: file.endsWith('x'), target: 'es2022' })
