/**
 * Expectations that hold whatever happens. That a test reaches one at all is verified while it runs (test/setup.ts).
 */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { asGiven, countVerified, verifiedSoFar } from '../harness/checks/verified.ts'
import { isNode, type Node, nodesOf, parseSource } from './syntax.ts'

const folder = fileURLToPath(new URL('../', import.meta.url))

const nameOf = (node: unknown): unknown => (isNode(node) && node.type === 'Identifier' ? node.value : undefined)

/** The names of `expect(value).not.toBe`, from the first on; of something else none. */
function chainOf(node: unknown): unknown[] {
  if (!isNode(node)) return []
  if (node.type === 'CallExpression') return nameOf(node.callee) === 'expect' ? ['expect'] : chainOf(node.callee)
  if (node.type !== 'MemberExpression') return []
  const before = chainOf(node.object)
  return before.length === 0 ? [] : [...before, nameOf(node.property)]
}
const isExpectation = (node: unknown): boolean => chainOf(node)[0] === 'expect'

/** What is a value of its own: `true`, `1`, `'text'`; a list of them may be asked whether it contains something. */
const isConstant = (node: unknown): boolean =>
  isNode(node) && /^(?:Boolean|Numeric|String|Null|BigInt)Literal$/.test(String(node.type))

/** A promise is true, and defined, whatever becomes of it. */
const holdsForPromises = ['toBeTruthy', 'toBeFalsy', 'toBeDefined']

/** What each text, list or object contains, by the matchers that look for it. */
const containedInAll: Readonly<Record<string, RegExp>> = {
  '""': /^(?:toContain|toMatch|stringContaining|stringMatching)$/,
  '[]': /^arrayContaining$/,
  '{}': /^(?:objectContaining|toMatchObject)$/,
}
function isContainedInAll(matcher: unknown, value: unknown): boolean {
  if (!isNode(value)) return false
  const parts = value.elements ?? value.properties ?? value.value
  const empty = value.type === 'ObjectExpression' ? '{}' : JSON.stringify(parts)
  const isEmpty = (typeof parts === 'string' || Array.isArray(parts)) && parts.length === 0
  return isEmpty && containedInAll[empty]?.test(String(matcher)) === true
}

const isAsync = (value: unknown): boolean =>
  isNode(value) && value.async === true && /^(?:Arrow)?FunctionExpression$/.test(String(value.type))

const argumentOf = (node: Node): unknown => {
  const [first] = Array.isArray(node.arguments) ? node.arguments : []
  return isNode(first) ? first.expression : undefined
}

function faultsOf(node: Node): string[] {
  if (node.type === 'ExpressionStatement') {
    const { expression } = node
    if (!isNode(expression) || !isExpectation(expression)) return []
    const chain = chainOf(expression)
    if (expression.type !== 'CallExpression' || chain.length === 1) return ['is compared with nothing']
    return chain.includes('resolves') || chain.includes('rejects') ? ['is not waited for'] : []
  }
  if (node.type === 'CallExpression' && nameOf(node.callee) === 'expect' && Array.isArray(node.arguments)) {
    const [value] = node.arguments
    return isNode(value) && isConstant(value.expression) ? ['is about a constant'] : []
  }
  if (node.type === 'CallExpression') {
    const chain = chainOf(node)
    const matcher = chain.at(-1)
    const [value] = givenTo(node)
    const called = isNode(node.callee) ? nameOf(node.callee.property) : undefined
    const compared = argumentOf(node)
    if (isContainedInAll(called, compared)) return ['is contained in everything']
    if (called === 'forEach' && isAsync(compared) && nodesOf(compared).some(isExpectation)) return ['is not waited for']
    if (matcher === 'toThrow' && isAsync(value) && !chain.includes('rejects')) return ['is not waited for']
    if (chain.length > 1 && nameOf(value) !== undefined && nameOf(value) === nameOf(compared))
      return ['is compared with itself']
    const isPromise = holdsForPromises.includes(String(matcher)) && isNode(value) && value.type === 'CallExpression'
    return isPromise ? ['may be about a promise'] : []
  }
  if (node.type === 'TryStatement' && isNode(node.handler)) {
    const isCaught = nodesOf(node.block).some(isExpectation)
    const isThrown = nodesOf(node.handler).some(({ type }) => type === 'ThrowStatement')
    return isCaught && !isThrown ? ['is caught when it fails'] : []
  }
  return []
}

/** The value of `expect(value).toBe()`. */
function givenTo(node: unknown): unknown[] {
  if (!isNode(node)) return []
  if (node.type === 'MemberExpression') return givenTo(node.object)
  if (node.type !== 'CallExpression') return []
  if (nameOf(node.callee) !== 'expect') return givenTo(node.callee)
  return Array.isArray(node.arguments) ? node.arguments.map((each) => isNode(each) && each.expression) : []
}

const faultsIn = async (text: string, file = 'a.ts'): Promise<string[]> =>
  nodesOf(await parseSource(text, file)).flatMap((node) => faultsOf(node))

test('no expectation holds whatever happens', { timeout: 60_000 }, async () => {
  const files = (await readdir(folder, { recursive: true })).filter((name) => /\.tsx?$/.test(name))
  expect(files.length).toBeGreaterThan(600)
  const faults: string[] = []
  for (const file of files) {
    const text = await readFile(folder + file, 'utf8')
    if (text.includes('expect(')) faults.push(...(await faultsIn(text, file)).map((fault) => `${file}: ${fault}`))
  }
  expect(faults).toEqual([])
})

test.each([
  ['expect(a)', 'is compared with nothing'],
  ['expect(a).toBe', 'is compared with nothing'],
  ['expect(a).not', 'is compared with nothing'],
  ['expect(a()).resolves.toBe(1)', 'is not waited for'],
  ['expect(a()).rejects.not.toThrow()', 'is not waited for'],
  ['expect(true).toBe(a)', 'is about a constant'],
  ['expect(a()).toBeTruthy()', 'may be about a promise'],
  ['expect(a(), b).not.toBeDefined()', 'may be about a promise'],
  ['expect(a).toEqual(a)', 'is compared with itself'],
  ["expect(a).toContain('')", 'is contained in everything'],
  ['expect(a).toEqual(expect.arrayContaining([]))', 'is contained in everything'],
  ['expect(a).toEqual({ b: expect.objectContaining({}) })', 'is contained in everything'],
  ['expect(a).toMatchObject({})', 'is contained in everything'],
  ['a.forEach(async (b) => { expect(await b).toBe(1) })', 'is not waited for'],
  ['expect(async () => a()).not.toThrow()', 'is not waited for'],
  ['try { expect(a).toBe(1) } catch { b() }', 'is caught when it fails'],
  ['try { await expect(a).rejects.toThrow() } catch (error) { log(error) }', 'is caught when it fails'],
])('an expectation that always holds is found: %s', async (text, fault) => {
  expect(await faultsIn(text)).toEqual([fault])
})

test.each([
  'expect(a).toBe(1)',
  'await expect(a()).resolves.toBe(1)',
  'const asked = expect(a()).rejects.toThrow()',
  'it(() => expect(a()).rejects.toThrow())',
  'expect(await a()).toBeDefined()',
  'expect(a).toBeDefined()',
  'expect([a, 1]).toEqual(b)',
  'expect([1, 2]).toContain(a)',
  'expect(a).toEqual(expect.any(String))',
  'expect(a).toEqual([])',
  'expect(a).toMatchObject([])',
  'expect(a).toEqual({})',
  "expect(a).toBe('')",
  "expect(a).toContain('b')",
  'await expect(async () => a()).rejects.toThrow()',
  'a.forEach(async (b) => { await c(b) })',
  'try { expect(a).toBe(1) } finally { b() }',
  'try { expect(a).toBe(1) } catch (error) { throw new Error("b", { cause: error }) }',
])('an expectation that may fail is none of these: %s', async (text) => {
  expect(await faultsIn(text)).toEqual([])
})

test('what a test begins with is nothing that it has verified', async () => {
  const before = verifiedSoFar()
  await asGiven(async () => {
    countVerified()
    await Promise.resolve()
    countVerified()
  })
  expect(verifiedSoFar()).toBe(before)
  countVerified()
  expect(verifiedSoFar()).toBe(before + 1)
})
