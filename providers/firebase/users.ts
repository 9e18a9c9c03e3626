/**
 * Users of Firebase Authentication. The SDK is not used, since it repeats a refused call for seconds: the person may
 * sign up again meanwhile, and the last repetition would delete their new account.
 */
import { z } from 'zod'
import { identityToolkitCodes } from '../codes/firebase.ts'
import { codeFrom, documented, lookUp, undocumented } from '../codes/meaning.ts'
import { ProviderFailure } from '../failure.ts'
import { type FirebaseSettings, openFirebase, type RawReply } from './app.ts'

const provider = 'firebase'
/** Source: the SDK, auth/auth-api-request.ts */
const api = 'https://identitytoolkit.googleapis.com/v1/projects'
/** A reply that is no object comes from another server, such as a proxy. */
const anyReply = z.looseObject({})
const foundReply = z.object({
  users: z
    .array(
      z.object({
        email: z.string().nullish(),
        providerUserInfo: z.array(z.object({ providerId: z.string().nullish() })).nullish(),
      }),
    )
    .nullish(),
})
const errorReply = z.object({ error: z.object({ message: z.string() }) })

/**
 * - `moved`: the person signs in with the new address
 * - `another`: there is none, or that of an identity provider, which is not ours to change
 * - `elsewhere`: the user signs in with a password and a third address: one that was changed at Firebase, or was not
 *   moved before
 * - `taken`: another Firebase user has the new address
 * - `unknown`: there is no such user
 */
export type AddressMove = 'moved' | 'another' | 'elsewhere' | 'taken' | 'unknown'

/** Every call throws ProviderFailure and can be repeated. */
export function createFirebaseUsers(settings: FirebaseSettings) {
  const firebase = openFirebase(provider, settings)

  return {
    /** Deletes a user in one request. @returns `unknown` when there is no such user */
    async deleteUser(localId: string): Promise<'deleted' | 'unknown'> {
      await firebase.authorise()
      const reply = await firebase.post(`${api}/${firebase.projectId}/accounts:delete`, { localId })
      if (reply.status === 200 && anyReply.safeParse(reply.body).success) return 'deleted'
      if (errorOf(reply) === 'USER_NOT_FOUND') return 'unknown'
      throw refusalOf(reply)
    },

    /**
     * Gives a user who signs in with a password the new address in place of an old one. All are proven, so that the new
     * one counts as verified.
     */
    async moveAddress(localId: string, { from, to }: { from: readonly string[]; to: string }): Promise<AddressMove> {
      await firebase.authorise()
      const found = await firebase.post(`${api}/${firebase.projectId}/accounts:lookup`, { localId: [localId] })
      if (found.status !== 200) throw refusalOf(found)
      const { data } = foundReply.safeParse(found.body)
      if (!data) throw new ProviderFailure(provider, 'unavailable', 'malformed_reply')
      const user = data.users?.[0]
      if (!user) return 'unknown'
      if (isSame(user.email, to)) return 'moved'
      const signsInWithIt = user.providerUserInfo?.some(({ providerId }) => providerId === 'password')
      if (!signsInWithIt || !user.email) return 'another'
      if (!from.some((address) => isSame(user.email, address))) return 'elsewhere'
      const update = { localId, email: to, emailVerified: true }
      const reply = await firebase.post(`${api}/${firebase.projectId}/accounts:update`, update)
      if (reply.status === 200 && anyReply.safeParse(reply.body).success) return 'moved'
      const error = errorOf(reply)
      if (error === 'USER_NOT_FOUND') return 'unknown'
      if (error === 'EMAIL_EXISTS') return 'taken'
      throw refusalOf(reply)
    },
    close: () => firebase.close(),
  }
}

export type FirebaseUsers = ReturnType<typeof createFirebaseUsers>

/** Firebase keeps addresses in lower case. */
const isSame = (address: string | null | undefined, other: string): boolean =>
  address?.toLowerCase() === other.toLowerCase()

/** The error code. Google appends a reason to some: `INVALID_ARGUMENT : why`. */
const errorOf = ({ body }: RawReply): string | undefined =>
  errorReply.safeParse(body).data?.error.message.split(' : ')[0]

function refusalOf(reply: RawReply): ProviderFailure {
  const { status, retryAfterMs } = reply
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 429 || status === 503) return new ProviderFailure(provider, 'unavailable', `http_${status}`, wait)
  if (status >= 500) return new ProviderFailure(provider, 'unknown_outcome', `http_${status}`, wait)
  const error = errorOf(reply)
  if (status < 300) return new ProviderFailure(provider, 'unknown_outcome', 'malformed_reply')
  const meaning = error === undefined ? undefined : lookUp(identityToolkitCodes, error)
  if (meaning) return documented(provider, meaning, true, wait)
  const code = codeFrom(error, `http_${status}`)
  // An error that does not name the user is about our project or credentials.
  if ([401, 403, 404].includes(status)) return new ProviderFailure(provider, 'misconfigured', code)
  return undocumented(provider, code, true, wait)
}
