/**
 * `node --import tsx bench/at-scale.ts`: what is promised to everybody, with everybody there. `-- --accounts 100000` of
 * them unless said otherwise.
 */
import { parseArgs } from 'node:util'
import { startStack } from '../dev/stack.ts'
import { fastForward } from '../time-skipping.ts'
import { policyNoticeWorkflowId } from '../workflows/policy-notice.contract.ts'
import { insertPeople } from './people.ts'
import { benchPolicyNotice } from './policy-notice.ts'

const { values } = parseArgs({ options: { accounts: { type: 'string', default: '100000' } } })
const recipients = Number(values.accounts)
const begun = performance.now()
const say = (line: string): void => {
  process.stdout.write(`${((performance.now() - begun) / 1000).toFixed(1).padStart(7)} s  ${line}\n`)
}

const stack = await startStack({
  processes: 'apart',
  durable: true,
  keepMail: 'envelopes',
  settings: { NODE_ENV: 'development', LOG_LEVEL: 'error', MAIL_RATE_PER_SECOND: '100000' },
  onProgress: say,
})
try {
  say(`making ${recipients} accounts`)
  await insertPeople(stack.context, recipients)
  const calm = await benchPolicyNotice(stack, { version: 'calm', recipients, killAt: [], say })
  process.stdout.write(`${JSON.stringify(calm, null, 2)}\n`)
  await fastForward(stack.temporal, policyNoticeWorkflowId('calm'), '41 days')
  const killed = await benchPolicyNotice(stack, { version: 'killed', recipients, killAt: [0.33, 0.66], say })
  process.stdout.write(`${JSON.stringify(killed, null, 2)}\n`)
} finally {
  await stack.stop()
}
