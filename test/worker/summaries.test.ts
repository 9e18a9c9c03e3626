/** Each run says in Temporal's Web UI what it is: a summary in the list, and on its page what it waits for. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (file: string): Promise<string> => readFile(join(root, file), 'utf8')

/** The object literals of a source that start a run: each names the workflow id and the task queue. */
function startsIn(source: string): string[] {
  const open: number[] = []
  const found: string[] = []
  for (const { 0: brace, index } of source.matchAll(/[{}]/g)) {
    if (brace === '{') open.push(index)
    else {
      const literal = source.slice(open.pop() ?? 0, index)
      // Fields that are nested in the literal belong to another literal.
      let own = literal.slice(1)
      for (let before = ''; before !== own; ) [before, own] = [own, own.replaceAll(/\{[^{}]*\}/g, '')]
      if (/\bworkflowId\b/.test(own) && /\btaskQueue\b/.test(own)) found.push(own)
    }
  }
  return found.filter((each, index) => !found.slice(0, index).some((inner) => each.includes(inner)))
}

test('each start of a run has a summary', async () => {
  const folders = ['activities', 'api', 'temporal', 'workflows', 'worker']
  const files = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(root, folder), { recursive: true }))
        .filter((file) => file.endsWith('.ts'))
        .map((file) => join(folder, file)),
    ),
  )
  const starts = await Promise.all(
    files.flat().map(async (file) => startsIn(await read(file)).map((start) => ({ file, start }))),
  )
  expect(starts.flat().length).toBeGreaterThan(18)
  const silent = starts.flat().filter(({ start }) => !start.includes('staticSummary'))
  expect(silent.map(({ file }) => file)).toEqual([])
  // The check finds one that is planted.
  expect(startsIn("start('x', { workflowId: 'a', args: [{ b }], taskQueue })")).toHaveLength(1)
})

test('each type of run shows in its details what it waits for', async () => {
  const index = await read('workflows/index.ts')
  const types = [...index.matchAll(/export \{ (\w+) \} from '\.\/(.+)'/g)]
  expect(types.length).toBeGreaterThan(25)
  const silent = await Promise.all(
    types.map(async ([, type = '', file = '']) =>
      /\b(showStatus|showStatusDetails|startRun)\(/.test(await read(`workflows/${file}`)) ? [] : [type],
    ),
  )
  expect(silent.flat()).toEqual([])
})
