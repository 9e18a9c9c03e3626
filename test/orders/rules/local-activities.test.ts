/** Why they are short: docs/decisions/0002-local-activities.md. */
import { expect, test } from 'vitest'
import * as retry from '../../../workflows/run/retry.ts'

test('no local activity takes so long that its workflow task heartbeats', () => {
  const local = [retry.local, retry.localOnce, retry.localWhileCallerWaits]
  for (const { scheduleToCloseTimeout } of local) expect(scheduleToCloseTimeout).toBe('5 seconds')
})
