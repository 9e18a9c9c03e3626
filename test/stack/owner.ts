/** A program that starts a stack and waits to be killed. */
import { startStack } from '../../dev/stack.ts'

const stack = await startStack({ processes: 'apart', onLogLine: () => {} })
process.stdout.write(`up: ${stack.urls.api}\n`)
await stack.failed
