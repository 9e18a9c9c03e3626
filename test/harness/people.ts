import type { Stack } from '../../dev/stack.ts'
import { type Caller, createCaller, expectStatus } from './http.ts'
import { seededBytes, seededInt, seededUuid } from './seed.ts'

export interface Person {
  accountId: string
  email: string
  firstName: string
  lastName: string
  phone: string
  firebaseUid: string
  deviceId: string
  pushToken: string
  appInstanceId: string
  /** calls the API as this person, with a new Firebase ID token */
  caller: Caller
}

export interface SignUpOptions {
  /** overrides the random sign-up data; can have `apple`, `google`, ... */
  account?: Record<string, unknown>
  /** overrides the random device; false: no device */
  device?: Record<string, unknown> | false
}

/** Signs up a new person with unique data and a phone that receives push messages. */
export async function signUp(stack: Stack, service: Caller, options: SignUpOptions = {}): Promise<Person> {
  const id = seededUuid()
  const { uid, idToken } = await stack.sims.google.do('firebase-sign-in', {})
  await stack.sims.firebase.do('user', { uid })
  const made = {
    email: `${id}@people.example`,
    firstName: `Fi${id.slice(0, 8)}`,
    lastName: `La${id.slice(9, 13)}${id.slice(14, 18)}`,
    phone: `+49151${seededInt(10_000_000, 100_000_000)}`,
    firebaseUid: uid,
    ...options.account,
  }
  const account = expectStatus(await service.post('/v1/accounts', made), 201)
  const caller = createCaller(stack.urls.api, idToken)
  const deviceId = `device-${id}`
  const pushToken = seededBytes(60).toString('base64url')
  const appInstanceId = seededBytes(16).toString('hex')
  if (options.device !== false) {
    const device = { platform: 'ios', pushToken, appInstanceId, osVersion: '18.1', ...options.device }
    expectStatus(await caller.put(`/v1/accounts/${account.id}/devices/${deviceId}`, device), 200)
  }
  return { ...made, accountId: account.id, deviceId, pushToken, appInstanceId, caller }
}
