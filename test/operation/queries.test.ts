/** The queries that the documents give to operators are ones that Temporal takes. */
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { versioning } from '../../workflows/versioning/behaviors.ts'
import { shareStack } from '../harness/harness.ts'

const harness = await shareStack()
const docs = new URL('../../docs/', import.meta.url)

test('Temporal takes every query of the runbooks and of the page for operators, and knows its workflow types', async () => {
  const runbooks = (await readdir(new URL('runbooks/', docs))).map((name) => `runbooks/${name}`)
  const texts = await Promise.all(['operators.md', ...runbooks].map((name) => readFile(new URL(name, docs), 'utf8')))
  const code = texts.flatMap((text) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, words = '']) => words))
  const queries = code.filter((words) =>
    /^(WorkflowType|Stage|AccountRef|ExecutionStatus|Temporal\w+) (=|IS) /.test(words),
  )
  expect(queries.length).toBeGreaterThan(10)
  for (const query of queries) {
    await expect(harness.stack.temporal.workflow.count(query), query).resolves.toHaveProperty('count')
    const type = /WorkflowType = '(\w+)'/.exec(query)?.[1]
    if (type !== undefined) expect(Object.keys(versioning)).toContain(type)
  }
})
