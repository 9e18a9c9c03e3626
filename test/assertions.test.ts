/** The compiler checks the types of rows and of simulators' answers: no source asserts them. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from '@swc/core'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))
const rowTypesFile = 'db/connection/schema.ts'
/** The types of rows. Those of single values, as `Sealed`, are none. */
const rowTypes = new Set(
  [...(await readFile(join(root, rowTypesFile), 'utf8')).matchAll(/^export interface (\w+)/gm)].map(([, name]) => name),
)

/** The types of columns whose values TypeScript defines, also as lists, and the reason of a refund. */
const columnTypes = new Set(['RefundReason', ...importedTypes(await readFile(join(root, rowTypesFile), 'utf8'))])

function importedTypes(text: string): string[] {
  return [...text.matchAll(/^import type \{ ([^}]+) \}/gm)].flatMap(([, names = '']) => names.split(', '))
}

type Node = Record<string, unknown>
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

/** Every node of a syntax tree, the outer ones first. */
function nodesOf(tree: unknown, found: Node[] = []): Node[] {
  if (!isNode(tree)) return found
  found.push(tree)
  for (const child of Object.values(tree)) nodesOf(child, found)
  return found
}

const keywordOf = (type: unknown): unknown => (isNode(type) && type.type === 'TsKeywordType' ? type.kind : undefined)

/** `row.column`, also with another value for null. */
function isRead(expression: unknown): boolean {
  if (!isNode(expression)) return false
  if (expression.type === 'ParenthesisExpression') return isRead(expression.expression)
  if (expression.type === 'BinaryExpression' && expression.operator === '??') return isRead(expression.left)
  const { type, property } = expression
  return type === 'MemberExpression' && isNode(property) && property.type === 'Identifier'
}

/** What is wrong with an assertion: `expression as type`. */
function faultOf({ expression, typeAnnotation }: Node): string | undefined {
  if (keywordOf(typeAnnotation) === 'never') return 'as never'
  if (
    isNode(expression) &&
    expression.type === 'TsAsExpression' &&
    keywordOf(expression.typeAnnotation) === 'unknown'
  ) {
    return 'as unknown as'
  }
  if (nodesOf(expression).some(({ type }) => type === 'TaggedTemplateExpression')) return "a query's rows"
  const value = nodesOf(typeAnnotation).find(
    ({ type, typeName }) => type === 'TsTypeReference' && isNode(typeName) && columnTypes.has(String(typeName.value)),
  )
  // `row.provider as EsimProviderId`: a column whose values TypeScript defines has its type (cli/schema-types.ts).
  if (value && isRead(expression)) return 'a value of a row'
  const named = nodesOf(typeAnnotation).find(
    ({ type, typeName }) => type === 'TsTypeReference' && isNode(typeName) && rowTypes.has(String(typeName.value)),
  )
  return named && 'a row'
}

async function faultsIn(text: string, file: string): Promise<string[]> {
  if (!text.includes(' as ')) return []
  const program = await parse(text, { syntax: 'typescript', tsx: file.endsWith('x'), target: 'es2022' })
  return nodesOf(program).flatMap((node) => {
    if (node.type === 'TsAsExpression') return faultOf(node) ?? []
    // `select account_id as "accountId"`: rows are snake_case; whoever returns a domain object renames.
    if (node.type === 'TemplateElement' && / as "[a-z]+[A-Z]/.test(String(node.raw))) return 'a column in camelCase'
    return []
  })
}

test.each([
  ['const a = b as never', 'as never'],
  ['const a = b as unknown as Order', 'as unknown as'],
  ['const [a] = (await sql`select 1 as id`) as Order[]', "a query's rows"],
  ['const a = (await sql`select 1 as id`)[0]?.id as string', "a query's rows"],
  ['const a = row as Orders', 'a row'],
  ['const a = providers[esim.provider as EsimProviderId]', 'a value of a row'],
  ['const a = person.fields as FieldGroup[]', 'a value of a row'],
  ["const a = (order.reason ?? 'withdrawn') as RefundReason", 'a value of a row'],
  ["const a = rows as Pick<Orders, 'id'>[]", 'a row'],
  ['const a = sql`select account_id as "accountId" from orders`', 'a column in camelCase'],
])('it is refused: %s', async (text, fault) => {
  expect(await faultsIn(text, 'a.ts')).toContain(fault)
})

test('no source asserts the type of a row, and rows are snake_case', async () => {
  const entries = await readdir(root, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory() && !/^(\..*|node_modules|client)$/.test(entry.name))
  const inFolders = folders.map(async ({ name }) =>
    (await readdir(join(root, name), { recursive: true })).map((file) => join(name, file)),
  )
  const all = [...entries.map(({ name }) => name), ...(await Promise.all(inFolders)).flat()]
  const files = all.filter((file) => /\.tsx?$/.test(file))
  expect(files).toContain(rowTypesFile)
  const faults = await Promise.all(
    files.map(async (file) =>
      (await faultsIn(await readFile(join(root, file), 'utf8'), file)).map((it) => `${file}: ${it}`),
    ),
  )
  expect(faults.flat()).toEqual([])
})
