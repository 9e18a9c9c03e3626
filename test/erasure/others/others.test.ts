/**
 * G3: a part of others.long.test.ts, which has all: of the requests that hold another person's ids the seed draws some
 * for each id. The sender is erased, and the other's rows and runs are unchanged, also a quarter of an hour later.
 */
import { expect, test } from 'vitest'
import type { OwnedIds } from '../../../db/connection/schema.ts'
import { systemKeyId } from '../../../db/crypto/data-keys.ts'
import { deleteAccount } from '../../harness/deletions.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { drawPart } from '../../harness/seed.ts'
import { addedSince, changedSince, lookTwice, nothingChanged, readEverybody, untilQuiet } from '../living.ts'
import { openSenders } from './senders.ts'
import { readSendings } from './sendings.ts'

const harness = await shareStack({ books: false })
const { sql, cipher } = harness.context
const partOf = drawPart(60)

test('G3: who sends another person’s ids, as a person or as the app backend, and is erased, changes nothing of the other', async () => {
  const anna = await harness.signUp()
  await harness.buy(anna)
  await untilQuiet(harness)
  // The first who reads events numbers them, for everybody: that is no change of a person's rows.
  expectStatus(await harness.service.get('/v1/events'), 200)
  const annas = `AccountRef = '${cipher.accountRef(anna.accountId)}'`
  const before = await readEverybody(harness, annas)
  const ben = await harness.signUp()
  const { id: orderId } = await harness.buy(ben)
  const ofAnna = await sql<Pick<OwnedIds, 'id' | 'kind'>[]>`
    select kind, id from owned_ids where account_id = ${anna.accountId} order by kind`
  const senders = await openSenders(harness, await readSendings(harness.anonymous), { person: ben, orderId }, partOf)
  const accepted = await senders.send([...ofAnna, { id: anna.deviceId }, { id: systemKeyId }])
  expect(accepted.person).toBeGreaterThan(0)
  expect(accepted.backend).toBeGreaterThan(0)

  await untilQuiet(harness)
  expect(await addedSince(harness, before, anna.accountId)).toEqual([])
  const deletion = await deleteAccount(harness.stack, ben)
  await lookTwice(deletion)
  expect(await changedSince(harness, before, annas)).toEqual(nothingChanged)
})
