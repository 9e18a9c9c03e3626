import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { failure } from '../../shared/failures.ts'
import { createLog } from '../../shared/log.ts'
import { failureInterceptor } from '../../worker/failure-interceptor.ts'

const secret = 'nora@people.example'

async function thrownThrough(error: unknown) {
  const lines: string[] = []
  const log = createLog({ level: 'info' }, { write: (line) => void lines.push(line) })
  const environment = new MockActivityEnvironment(undefined, { interceptors: [failureInterceptor(log)] })
  const thrown: ApplicationFailure = await environment
    .run(async () => {
      throw error
    })
    .then(
      () => undefined,
      (caught) => caught,
    )
  return { thrown, lines }
}

test('an activity’s failure of a known type is thrown unchanged and not logged', async () => {
  const error = failure('OutOfStock', { code: 'why' })
  const { thrown, lines } = await thrownThrough(error)
  expect(thrown).toBe(error)
  expect(thrown.stack).not.toContain(process.cwd())
  expect(lines).toEqual([])
})

test('benign failures lose their stack, other failures keep it', async () => {
  expect((await thrownThrough(failure('EsimStillLives'))).thrown.stack).toBe('')
  expect((await thrownThrough(failure('OutOfStock'))).thrown.stack).toMatch(/^ +at .*failure-interceptor\.test/m)
})

test.each([
  ['a bug', new TypeError(`cannot read ${secret}`), 'TypeError'],
  ['a library error', Object.assign(new Error(`550 ${secret} unknown`), { name: 'SMTPError' }), 'SMTPError'],
  ['a failure of an unknown type', ApplicationFailure.create({ type: 'Own', message: secret }), 'ApplicationFailure'],
  [
    'a failure of a known type with a cause',
    ApplicationFailure.create({ type: 'OutOfStock', message: 'x', cause: new Error(secret) }),
    'ApplicationFailure',
  ],
  ['a thrown string', secret, 'string'],
])('%s reaches the history without its message', async (_name, error, type) => {
  const { thrown, lines } = await thrownThrough(error)
  expect(thrown).toBeInstanceOf(ApplicationFailure)
  expect(thrown.type).toBe(type)
  expect(thrown.nonRetryable).toBe(false)
  expect(`${thrown.message} ${thrown.stack} ${JSON.stringify(thrown.details)}`).not.toContain(secret)
  expect(thrown.cause).toBeUndefined()
  expect(lines).toHaveLength(1)
})

test('a non-retryable failure of an unknown type stays non-retryable', async () => {
  const { thrown } = await thrownThrough(ApplicationFailure.nonRetryable(secret, 'Own'))
  expect(thrown.nonRetryable).toBe(true)
})

test('a cancellation is thrown unchanged', async () => {
  const error = new CancelledFailure('stop')
  expect((await thrownThrough(error)).thrown).toBe(error)
})
