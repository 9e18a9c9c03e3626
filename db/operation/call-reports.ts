/**
 * Passes on to the database what this process learns about outside parties, beside the calls and never in their way.
 */
import type { CallWatch } from '../../providers/call-watch.ts'
import type { ProviderFailure } from '../../providers/failure.ts'
import type { Log } from '../../shared/log.ts'
import type { Metrics } from '../../shared/metrics.ts'
import type { Database } from '../connection/database.ts'
import { raiseOperatorTask } from '../operator-tasks.ts'
import { recordAnsweredCall, recordFailedCall } from './outside-parties.ts'

/**
 * While a party fails, and while it answers: an outage that another process has seen ends after this time at the
 * latest.
 */
const failureEveryMs = 2_000
const answerEveryMs = 30_000

/** of one party, in the metrics of a process */
const mostCodes = 50

interface Known {
  state: 'answers' | 'fails'
  /** `performance.now()` of the newest write */
  writtenAt: number
  /** writes of one party follow one another */
  writing: Promise<void>
}

export interface CallReports extends CallWatch {
  /**
   * Makes an operator task of a failure that only an operator can end, before the caller gets it. It does not throw.
   */
  needsOperator(failure: Pick<ProviderFailure, 'provider' | 'code'>): Promise<void>
  /** Resolves when nothing is being written. */
  idle(): Promise<void>
}

/** Collects whether calls to outside parties work, and writes it in the background. */
export function createCallReports({ sql, log, metrics }: { sql: Database; log: Log; metrics: Metrics }): CallReports {
  const parties = new Map<string, Known>()
  const raising = new Set<Promise<void>>()
  const codes = new Map<string, Set<string>>()

  /** The code as a label: a party that makes up another one for each answer would make as many series of metrics. */
  function labelOf(party: string, code: string): string {
    const known = codes.get(party) ?? new Set()
    codes.set(party, known)
    if (known.size < mostCodes) known.add(code)
    return known.has(code) ? code : 'other'
  }

  async function raise(party: string, code: string): Promise<void> {
    metrics.providerMisconfigured.inc({ provider: party, code: labelOf(party, code) })
    // With the code among its attributes an open task shows the newest one.
    const task = {
      kind: 'provider_misconfigured',
      subjectId: party,
      detail: code,
      at: new Date(),
      attributes: { code },
    }
    await raiseOperatorTask(sql, task).catch((error: unknown) => {
      // The next call reports it again.
      log.warn({ error, party, code }, 'the operator task of an outside party could not be written')
    })
  }

  function report(party: string, state: Known['state'], everyMs: number, write: () => Promise<void>): void {
    metrics.outsideCalls.inc({ party, outcome: state === 'answers' ? 'answered' : 'failed' })
    const known = parties.get(party)
    const now = performance.now()
    if (known?.state === state && now - known.writtenAt < everyMs) return
    const writing = (known?.writing ?? Promise.resolve()).then(write).catch((error: unknown) => {
      // The next call reports it again.
      parties.delete(party)
      log.warn({ error, party }, 'the state of an outside party could not be recorded')
    })
    parties.set(party, { state, writtenAt: now, writing })
  }

  return {
    answered(party) {
      const at = new Date()
      report(party, 'answers', answerEveryMs, async () => {
        const ended = await recordAnsweredCall(sql, { party, at })
        if (ended) log.info({ party, lastedMs: ended.lastedMs }, 'an outside party answers again')
      })
    },
    failed(party, code) {
      const at = new Date()
      report(party, 'fails', failureEveryMs, () => recordFailedCall(sql, { party, code, at }))
    },
    unlisted(party, code) {
      const raised = raise(party, code).finally(() => raising.delete(raised))
      raising.add(raised)
    },
    needsOperator: ({ provider, code }) => raise(provider, code),
    async idle() {
      await Promise.all([...raising, ...[...parties.values()].map(({ writing }) => writing)])
    },
  }
}
