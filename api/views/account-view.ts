import type { z } from 'zod'
import type { Context } from '../../context.ts'
import { findAccount } from '../../db/accounts.ts'
import { findPromotions } from '../../db/consents.ts'
import { countDevices } from '../../db/devices.ts'
import { listIdentities } from '../../db/identities.ts'
import { asOneLine } from '../../shared/text/one-line.ts'
import { Problem } from '../http/problem.ts'
import type { account } from './account-fields.ts'

export interface AccountView {
  body: z.input<typeof account>
  version: number
}

/**
 * G1, everybody can see their data: all data of the account row and of its sign-ins, consents and devices.
 * @throws Problem not_found
 */
export async function viewAccount(context: Context, id: string): Promise<AccountView> {
  const { sql } = context
  const [found, identities, promotions, devices] = await Promise.all([
    findAccount(sql, context, id),
    listIdentities(sql, context, id),
    findPromotions(sql, id),
    countDevices(sql, id),
  ])
  if (!found || !promotions) throw new Problem('not_found')
  const firebase = found.firebaseUid === null ? [] : [{ subject: found.firebaseUid, linkedAt: null }]
  return {
    version: found.version,
    body: {
      id: found.id,
      email: found.email,
      emailState: found.mailState,
      // Names from before those of several lines were refused: a correction sends them back.
      firstName: asOneLine(found.firstName),
      lastName: asOneLine(found.lastName),
      phone: found.phone,
      language: found.language,
      signUpIp: found.signUpIp,
      lastLoginIp: found.lastLoginIp,
      identities: [...identities, ...firebase.map((identity) => ({ provider: 'firebase' as const, ...identity }))],
      consents: { promotions },
      devices,
      policyVersion: found.policyVersion,
      createdAt: found.createdAt,
      lastActiveAt: found.lastActiveAt,
    },
  }
}
