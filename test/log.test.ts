import { ApplicationFailure } from '@temporalio/common'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { ProviderFailure } from '../providers/failure.ts'
import { failure } from '../shared/failures.ts'
import { createLog } from '../shared/log.ts'

function logging(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  write(createLog({ level: 'trace' }, { write: (line) => void lines.push(line) }))
  return lines.join('')
}

test('the log omits secret fields, also in nested objects', () => {
  const canary = 'canary'
  const fields = ['email', 'firstName', 'phone', 'ip', 'pushToken', 'iccid', 'body', 'authorization', 'clientSecret']
  for (const field of fields) {
    for (const value of [{ [field]: canary }, { a: { [field]: canary } }]) {
      expect(logging((log) => log.info(value, 'said'))).not.toContain(canary)
    }
  }
})

test('the log has a database error without the data that it quotes', () => {
  const error = Object.assign(new postgres.PostgresError('duplicate key'), {
    message: 'invalid input syntax: "canary"',
    code: '23505',
    detail: 'Key (email)=(canary) already exists.',
    constraint_name: 'accounts_email_index_key',
    query: 'insert canary',
    parameters: ['canary'],
  })
  const line = logging((log) => log.error({ err: new Error('outer', { cause: error }) }, 'failed'))
  expect(line).not.toContain('canary')
  expect(JSON.parse(line)).toMatchObject({
    err: { type: 'Error', message: 'outer', cause: { code: '23505', constraint: 'accounts_email_index_key' } },
  })
})

test('the log has a parser’s error without the text that it quotes', () => {
  const line = logging((log) => {
    try {
      JSON.parse('canary')
    } catch (error) {
      log.error({ err: error }, 'failed')
    }
  })
  expect(line).not.toContain('canary')
  expect(line).toContain('SyntaxError')
})

test('the log accepts any thrown value', () => {
  expect(JSON.parse(logging((log) => log.error({ err: 'canary' }, 'failed')))).toMatchObject({
    err: { type: 'string' },
  })
})

test('the log has the type and the code of an expected failure', () => {
  const refused = logging((log) => log.warn({ error: failure('ProviderUnavailable', { code: 'http_503' }) }, 'failed'))
  expect(JSON.parse(refused)).toMatchObject({ error: { failure: 'ProviderUnavailable', code: 'http_503' } })
  const ours = logging((log) =>
    log.warn({ error: new ProviderFailure('airalo', 'unavailable', 'timed_out') }, 'failed'),
  )
  expect(JSON.parse(ours)).toMatchObject({ error: { failure: 'unavailable', code: 'timed_out' } })
})

test('the log drops a detail of a failure that is no code', () => {
  const free = ApplicationFailure.create({ type: 'X', message: 'm', details: ['Fi Canary, canary@example.com'] })
  expect(logging((log) => log.warn({ error: free }, 'failed'))).not.toMatch(/canary/i)
})
