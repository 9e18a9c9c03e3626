/** Tokens that are signed with a key which was published a moment ago. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTokenVerifier } from '../../providers/id-token.ts'
import { portOf } from '../../shared/process/listen.ts'
import { createSigner } from '../../sim/sign-in/signer.ts'
import { failureOf } from '../providers/failing.ts'

const signer = createSigner('published')
const keysNow = async (): Promise<string> => JSON.stringify(await signer.jwks())
/** how a reading of the keys is answered */
let answer = keysNow
let readings = 0

const server = createServer(async (_request, response) => {
  readings += 1
  response.end(await answer())
})

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const issuer = 'https://issuer.example'
const token = (subject: string): Promise<string> =>
  signer.sign({ iss: issuer, aud: 'app', sub: subject }, { expiresInSeconds: 3_600 })

function verifier() {
  readings = 0
  const jwksUrl = `http://127.0.0.1:${portOf(server)}/keys`
  return createTokenVerifier({ provider: 'google', jwksUrl, issuers: [issuer], audiences: ['app'], keyCooldownMs: 500 })
}

/**
 * The first reading of the keys is answered by those from before the newest one, which is published then.
 * @param meanwhile called while it is under way
 * @returns a token by the key before, and one by the newest
 */
async function publishBehindReading(meanwhile: () => void = () => {}): Promise<[string, string]> {
  const before = await token('before')
  const keysBefore = await keysNow()
  // Making a key takes seconds on a busy machine, and a reading waits for five.
  await signer.rotate()
  answer = async () => {
    answer = keysNow
    meanwhile()
    return keysBefore
  }
  return [before, await token('after')]
}

test('a token by a key that was published while the keys were being read for another one is accepted', async () => {
  const verify = verifier()
  let second: Promise<unknown> | undefined
  const [before, after] = await publishBehindReading(() => {
    second = verify(after)
    // What it fails with is shown when it is waited for.
    second.catch(() => undefined)
  })
  expect(await verify(before)).toMatchObject({ sub: 'before' })
  expect(await second).toMatchObject({ sub: 'after' })
})

test('a token by a key that was published right after the keys were read is accepted', async () => {
  const verify = verifier()
  const [before, after] = await publishBehindReading()
  await verify(before)
  expect(await verify(after)).toMatchObject({ sub: 'after' })
})

test('a token by a key that nobody has published is refused by the first reading that began behind it', async () => {
  const verify = verifier()
  const strange = await createSigner('unpublished').sign({ iss: issuer, aud: 'app', sub: 'nobody' })
  expect(await failureOf(verify(strange))).toBe('rejected unknown_key')
  expect(readings).toBe(1)
})
