/** Each operator task says what it means and what to do about it, on the console, in the API and in docs/. */
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { erasureSteps } from '../../policy/deletion.ts'
import { kindsOf, urgencies } from '../../policy/operator-tasks.ts'
import { adviceOn, taskAdvice } from '../../policy/operators/task-advice.ts'
import { differenceKinds } from '../../policy/reconciliation.ts'

const root = new URL('../../', import.meta.url)

test('docs/operator-tasks.md agrees with policy/operators/task-advice.ts', async () => {
  const rows = Object.entries(taskAdvice)
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([kind, { meaning, cure }]) => `| \`${kind}\` | ${meaning} | ${cure} |`)
  const { meaning, cure } = adviceOn('deletion_apple') ?? {}
  const text = `# Operator tasks

Generated from \`policy/operators/task-advice.ts\`. After a change there: \`npx vitest run test/policy/task-advice.test.ts -u\`.

The console shows this beside each task, and \`GET /v1/operator-tasks\` has it as \`meaning\` and \`cure\`. How tasks are taken and settled
is in [what waits for an operator](runbooks/what-waits-for-an-operator.md). Tasks of the kind of a difference between our books and
those of others have their cures in [reconciliation](reconciliation.md).

| kind | what it means | what to do |
| --- | --- | --- |
${rows.join('\n')}
| \`deletion_...\` | ${meaning} | ${cure} |
`
  await expect(text).toMatchFileSnapshot('../../docs/operator-tasks.md')
})

test('each kind of difference or of an urgency, and each step of a deletion, has its advice; an unknown kind has none', () => {
  const kinds = [
    ...urgencies.flatMap(kindsOf),
    ...Object.keys(differenceKinds),
    ...erasureSteps.map((step) => `deletion_${step}`),
  ]
  expect(kinds.filter((kind) => adviceOn(kind) === undefined)).toEqual([])
  for (const kind of ['a_task', 'deletion_somewhere', 'constructor', '']) expect(adviceOn(kind)).toBeUndefined()
})

test('the files and routes that an advice names are there', async () => {
  const { paths }: { paths: Record<string, Record<string, unknown>> } = JSON.parse(
    await readFile(new URL('client/openapi.json', root), 'utf8'),
  )
  const all = [...Object.keys(taskAdvice), ...Object.keys(differenceKinds), 'deletion_apple']
  for (const kind of all) {
    const { cure = '' } = adviceOn(kind) ?? {}
    for (const [path = ''] of cure.matchAll(/docs\/[\w/.-]*\w/g)) {
      const isThere = await readFile(new URL(path, root)).catch(() =>
        readdir(new URL(`${path}/`, root)).catch(() => null),
      )
      expect([kind, path, isThere !== null]).toEqual([kind, path, true])
    }
    for (const [, method = '', path = ''] of cure.matchAll(/\b(GET|POST|PUT|PATCH|DELETE) (\/[\w/{}-]+)/g))
      expect([kind, method, path, paths[path]?.[method.toLowerCase()] !== undefined]).toEqual([
        kind,
        method,
        path,
        true,
      ])
  }
})

test('no advice is about a kind that nothing raises', async () => {
  const folders = ['activities', 'api', 'cli', 'db', 'workflows']
  const files = (
    await Promise.all(
      folders.map(async (folder) =>
        (
          await readdir(new URL(folder, root), { recursive: true })
        )
          .filter((file) => file.endsWith('.ts'))
          .map((file) => `${folder}/${file}`),
      ),
    )
  ).flat()
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, root), 'utf8')))
  const known = texts.join('\n')
  expect(Object.keys(taskAdvice).filter((kind) => !known.includes(`'${kind}'`))).toEqual([])
})
