import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** Claims ports as long as it lives: it ends when its input does. */
const claimer = `
  const { claimPort } = await import('./dev/port.ts')
  const claimed = []
  for (let i = 0; i < 400; i++) claimed.push(await claimPort(0))
  console.log(JSON.stringify(claimed))
  process.stdin.resume()
  await new Promise((resolve) => process.stdin.once('end', resolve))
`

test('no port is claimed twice by processes that have not listened on theirs yet', async () => {
  const running = [1, 2].map(() => {
    const claiming = promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', claimer])
    return { claiming, printed: new Promise<void>((resolve) => claiming.child.stdout?.once('data', () => resolve())) }
  })
  await Promise.all(running.map(({ claiming, printed }) => Promise.race([printed, claiming])))
  for (const { claiming } of running) claiming.child.stdin?.end()
  const ports = (await Promise.all(running.map(({ claiming }) => claiming))).flatMap(({ stdout }): number[] =>
    JSON.parse(stdout),
  )
  expect(ports).toHaveLength(800)
  expect(new Set(ports).size).toBe(ports.length)
})
