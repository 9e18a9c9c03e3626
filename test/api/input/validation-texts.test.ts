/** The reasons of a refused request are in our words, for each kind of fault. */
import { expect, test } from 'vitest'
import { z } from 'zod'
import { validationText } from '../../../api/http/input/validation-texts.ts'
import { fieldErrors } from '../../../api/http/problem.ts'

const schema = z.strictObject({
  name: z.string().min(1).max(4),
  code: z.string().min(2),
  status: z.enum(['paid', 'unpaid']),
  count: z.int().min(2),
  limit: z.number().max(3),
  at: z.iso.datetime(),
  day: z.iso.date(),
  email: z.email(),
  id: z.uuid(),
  own: z.string().regex(/^x/, 'must begin with x'),
  items: z.array(z.string()).max(1),
  flag: z.boolean(),
  fixed: z.literal(true),
  either: z.union([z.string(), z.number()]),
  gone: z.string(),
  choice: z.enum(['a']),
})

test('each kind of fault of a request has a reason in our words', () => {
  const wrong = {
    name: '',
    code: 'a',
    status: 'paidd',
    count: 1,
    limit: 4,
    at: 'now',
    day: 'today',
    email: 'x',
    id: 'x',
    own: 'y',
    items: ['a', 'b'],
    flag: 'yes',
    fixed: false,
    either: true,
    extra: 1,
  }
  const parsed = schema.safeParse(wrong, { error: validationText })
  const reasons = Object.fromEntries(
    (parsed.error ? fieldErrors(parsed.error, 'body') : []).map(({ field, reason }) => [field, reason]),
  )
  expect(reasons).toEqual({
    name: 'must not be empty',
    code: 'must have at least 2 characters',
    status: 'must be one of: paid, unpaid',
    count: 'must be at least 2',
    limit: 'must be at most 3',
    at: 'must be a time in UTC, for example 2026-11-29T10:00:00Z',
    day: 'must be a day, for example 2026-11-29',
    email: 'must be an e-mail address',
    id: 'must be a UUID',
    own: 'must begin with x',
    items: 'must have at most 1 item',
    flag: 'must be true or false',
    fixed: 'must be true',
    either: 'must have one of the forms that the documentation shows',
    gone: 'missing',
    choice: 'missing',
    extra: 'unknown field',
  })
})
