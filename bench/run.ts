/**
 * `npm run bench`: the budgets, measured as ratios in one run beside what they are measured against.
 * Writes bench/results.json and bench/RESULTS.md. `-- --quick` for a short look that writes nothing.
 */
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { startStack } from '../dev/stack.ts'
import { untilCatalogued } from './catalogued.ts'
import { benchOrders } from './orders.ts'
import { report } from './report.ts'
import { measureStart } from './start-up.ts'

const quick = process.argv.includes('--quick')
const begun = performance.now()
const say = (line: string): void => {
  process.stdout.write(`${((performance.now() - begun) / 1000).toFixed(1).padStart(7)} s  ${line}\n`)
}

const startSeconds = quick ? [] : await measureStart(3, say)
const stack = await startStack({
  processes: 'apart',
  workers: 1,
  durable: true,
  keepMail: 'envelopes',
  settings: { NODE_ENV: 'development', LOG_LEVEL: 'error', MAIL_RATE_PER_SECOND: '10000' },
  onProgress: say,
})
try {
  await untilCatalogued(stack)
  const orders = await benchOrders(stack, {
    rounds: quick ? 1 : 3,
    ordersPerRound: quick ? 100 : 200,
    concurrency: 50,
    checkouts: quick ? 50 : 200,
    say,
  })
  const results = {
    measuredOn: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}`,
    startSeconds,
    orders,
  }
  if (!quick) {
    await writeFile(new URL('./results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
    await writeFile(new URL('./RESULTS.md', import.meta.url), report(results))
  }
  process.stdout.write(`\n${report(results)}`)
} finally {
  await stack.stop()
}
