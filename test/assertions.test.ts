/**
 * The compiler checks types: no source and no test asserts one, but for the few places below. What comes from outside
 * has a form (zod), the rest a declared type, and a query takes the type of a column from the generated row types.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { isNode, type Node, nodesOf, parseSource } from './sources/syntax.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const rowTypesFile = 'db/connection/schema.ts'
const schema = await readFile(join(root, rowTypesFile), 'utf8')
/** The types of rows. Those of single values, as `Sealed`, are none. */
const rowTypes = new Set([...schema.matchAll(/^export interface (\w+)/gm)].map(([, name]) => name))

/** The columns of each table and view. */
const columnsOf = new Map(
  [...schema.matchAll(/^export interface (\w+) \{\n([\s\S]*?)\n\}/gm)].map(([, rowType = '', body = '']) => [
    rowType.replaceAll(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase(),
    new Set([...body.matchAll(/^ {2}(\w+):/gm)].map(([, column]) => column)),
  ]),
)

/** The types of columns whose values TypeScript defines, also as lists, and the reason of a refund. */
const columnTypes = new Set(['RefundReason', ...importedTypes(schema)])

function importedTypes(text: string): string[] {
  return [...text.matchAll(/^import type \{ ([^}]+) \}/gm)].flatMap(([, names = '']) => names.split(', '))
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

/** The fault of an assertion: `expression as type`. */
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
  // `row.provider as EsimProviderId`: a column whose values TypeScript defines has its type
  // (cli/generate/schema-types.ts).
  if (value && isRead(expression)) return 'a value of a row'
  const named = nodesOf(typeAnnotation).find(
    ({ type, typeName }) => type === 'TsTypeReference' && isNode(typeName) && rowTypes.has(String(typeName.value)),
  )
  return named && 'a row'
}

/** The items between `select` or `returning` and `from`, of the query itself and not of those in its parentheses. */
function selectedItems(query: string): string[] {
  const items: string[] = []
  let depth = 0
  let item: string | undefined
  const end = (): void => {
    if (item !== undefined) items.push(item.trim().replace(/^distinct(?: on \([^)]*\))? /, ''))
  }
  for (const [token] of query.matchAll(/[(),]|[^\s(),]+|\s+/g)) {
    if (token === '(') depth += 1
    if (token === ')') depth -= 1
    const word = depth === 0 ? token.toLowerCase() : ''
    if (word === 'from' || word === 'select' || word === 'returning' || word === ',') {
      end()
      item = word === 'from' || (word === ',' && item === undefined) ? undefined : ''
    } else if (item !== undefined) item += token
  }
  end()
  return items
}

/** The columns of tables that a query selects as they are, by their names in the row. */
function selectedColumns(query: string): string[] {
  const tables = [...query.matchAll(/\b(?:from|join|update|into|using)\s+(\w+)(?:\s+(?:as\s+)?(\w+))?/g)].map(
    ([, table = '', alias]) => ({ table, alias }),
  )
  return selectedItems(query).flatMap((item) => {
    const [, owner, column = '', name = column] = /^(?:(\w+)\.)?(\w+)(?:\s+as\s+(\w+))?$/.exec(item) ?? []
    const owners = tables.filter(({ table, alias }) => owner === undefined || owner === alias || owner === table)
    return owners.some(({ table }) => columnsOf.get(table)?.has(column)) ? [name] : []
  })
}

/** The properties that a type writes out itself, also in the types of the same file that it names. */
function propertiesOf(type: unknown, declared: ReadonlyMap<string, Node>): Node[] {
  if (!isNode(type)) return []
  const inAll = (types: unknown): Node[] =>
    Array.isArray(types) ? types.flatMap((each) => propertiesOf(each, declared)) : []
  switch (type.type) {
    case 'TsPropertySignature':
      return [type]
    case 'TsArrayType':
      return propertiesOf(type.elemType, declared)
    case 'TsParenthesizedType':
    case 'TsTypeAliasDeclaration':
      return propertiesOf(type.typeAnnotation, declared)
    case 'TsIntersectionType':
    case 'TsUnionType':
      return inAll(type.types)
    case 'TsTypeLiteral':
      return inAll(type.members)
    case 'TsInterfaceDeclaration':
      return isNode(type.body) ? inAll(type.body.body) : []
    case 'TsTypeReference':
      return type.typeParams ? [] : propertiesOf(declared.get(nameOf(type.typeName)), declared)
    default:
      return []
  }
}

const nameOf = (identifier: unknown): string => (isNode(identifier) ? String(identifier.value) : '')

/** Whether a type is a property of another one, as `Orders['status']` is; also by a type of the same file. */
function isLookedUp(type: unknown, declared: ReadonlyMap<string, Node>): boolean {
  const types = nodesOf(type)
  for (const node of types) {
    const named = node.type === 'TsTypeReference' ? declared.get(nameOf(node.typeName)) : undefined
    // A type may name itself.
    if (named && !types.includes(named)) nodesOf(named, types)
  }
  return types.some((node) => node.type === 'TsIndexedAccessType')
}

/** The columns whose type a query writes out: `` sql<{ id: string }[]>`select id from orders` ``. */
function writtenOut(query: Node, declared: ReadonlyMap<string, Node>): string[] {
  const types = isNode(query.typeParameters) ? query.typeParameters.params : undefined
  const quasis = isNode(query.template) ? query.template.quasis : undefined
  if (!Array.isArray(types) || !Array.isArray(quasis)) return []
  const columns = selectedColumns(quasis.map((part) => (isNode(part) ? String(part.raw) : '')).join(' $ '))
  return types
    .flatMap((type) => propertiesOf(type, declared))
    .filter(({ key, typeAnnotation }) => {
      // A column that a join has not found is null.
      const isNull = isNode(typeAnnotation) && keywordOf(typeAnnotation.typeAnnotation) === 'null'
      return columns.includes(nameOf(key)) && !isNull && !isLookedUp(typeAnnotation, declared)
    })
    .map(({ key }) => `the type of a column: ${nameOf(key)}`)
}

const declarations = new Set(['TsInterfaceDeclaration', 'TsTypeAliasDeclaration'])

async function faultsIn(text: string, file: string): Promise<string[]> {
  if (!text.includes(' as ') && !text.includes('>`')) return []
  const nodes = nodesOf(await parseSource(text, file))
  const declared = new Map(
    nodes.filter(({ type }) => declarations.has(String(type))).map((node) => [nameOf(node.id), node]),
  )
  return nodes.flatMap((node) => {
    // `as const` is a node of another type.
    if (node.type === 'TsAsExpression') return faultOf(node) ?? (mayAssert(file) ? [] : 'a type')
    // Queries of tests read rows that a test has just made.
    if (node.type === 'TaggedTemplateExpression' && !isTest(file)) return writtenOut(node, declared)
    // `select account_id as "accountId"`: rows are snake_case; the function that returns a domain object renames.
    if (node.type === 'TemplateElement' && / as "[a-z]+[A-Z]/.test(String(node.raw))) return 'a column in camelCase'
    return []
  })
}

const isTest = (file: string): boolean => file.startsWith('test/')

/** The sources that assert a type, and why the compiler cannot know it. */
const asserting: Readonly<Record<string, string>> = {
  'api/http/problems.ts': 'a string in snake case has the type that the compiler makes of the name',
  'bench/run.ts': 'the figures of a part are of the type of that part',
  'cli/deploy.ts': 'the library takes a constant as a duration, and checks any text itself',
  'messages/texts.ts': 'the library takes arguments of any message, the type here those of one message',
  'providers/alarm.ts': 'an adapter whose calls are wrapped has the calls of the adapter',
  'shared/keys-of.ts': 'an object may have more keys than its type says: tables have not',
  'workflows/order/run.ts': 'the beginning of what is set later',
  'workflows/run/local-first.ts': 'a proxy has the calls of the interface that it stands for',
  'workflows/run/messages.ts': 'the definitions of the SDK are of messages with their own inputs',
}

/** An example of the documents is a page of its reader's code. */
const mayAssert = (file: string): boolean => file.startsWith('docs/') || Object.hasOwn(asserting, file)

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
  ['const a = sql<{ id: string }[]>`select id from orders`', 'the type of a column: id'],
  [
    'const a = sql<{ id: string }[]>`select distinct o.payment_intent_id as id from orders o`',
    'the type of a column: id',
  ],
  ['const a = tx<{ id: string }[]>`update orders set x = 1 where id = 1 returning id`', 'the type of a column: id'],
  [
    'interface A { id: string; count: number }\nconst a = sql<A[]>`select id, count(*) as count from orders group by id`',
    'the type of a column: id',
  ],
])('an asserted type, or a row type that is not the schema’s, is refused: %s', async (text, fault) => {
  expect(await faultsIn(text, 'a.ts')).toContain(fault)
})

test.each([
  "const a = sql<Pick<Orders, 'id'>[]>`select id from orders`",
  "const a = sql<{ key: Orders['id'] | null }[]>`select o.id as key from refunds left join orders o on true`",
  'const a = sql<{ count: number }[]>`select count(*)::int as count from orders`',
  'const a = sql<{ id: string }[]>`select (select min(id) from orders) as id`',
  'const a = sql<{ id: null }[]>`select o.id from refunds left join orders o on true`',
  "type Known = Exclude<Orders['status'], 'draft'>\nconst a = sql<{ status: Known }[]>`select status from orders`",
])('a query whose row type is the schema’s is accepted: %s', async (text) => {
  expect(await faultsIn(text, 'a.ts')).toEqual([])
})

test.each([
  ['const a = (await answer.json()) as { id: string }', ['a type']],
  ['const a = order.iccid as string', ['a type']],
  ["const a = ['one', 'two'] as const", []],
  ['const a = { id: 1 } satisfies Order', []],
  ["import { opened as begun } from './a.ts'", []],
])(
  'an assertion is a fault wherever it is, and what looks like one is none: %s has the faults %j',
  async (text, faults) => {
    expect(await faultsIn(text, 'a.ts')).toEqual(faults)
    expect(await faultsIn(text, 'test/a.test.ts')).toEqual(faults)
    expect(await faultsIn(text, 'sim/a.ts')).toEqual(faults)
  },
)

test.each(Object.keys(asserting))('%s asserts a type, as the list says', async (file) => {
  const text = await readFile(join(root, file), 'utf8')
  expect(await faultsIn(text, 'another.ts')).toContain('a type')
})

test('no source or test asserts a type but those listed, and rows are snake_case with the types of their columns', async () => {
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
