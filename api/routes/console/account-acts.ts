/** The acts of operators on an account, for the console and the JSON routes. */
import type { ApiContext } from '../../../context.ts'
import type { EmailChange } from '../../../db/email-changes.ts'
import { findDeletion } from '../../../db/erasure/deletions.ts'
import type { AccountRows } from '../../../db/operator/account-rows.ts'
import type { NewOperatorAct } from '../../../db/operator/operator-acts.ts'
import { endAllSignIns } from '../../../db/sign-in-events.ts'
import type { DeletionReason } from '../../../policy/deletion.ts'
import type { OperatorPermission } from '../../../policy/operators/operator-roles.ts'
import type { RequestIds } from '../../acts/recorded-acts.ts'
import { Problem } from '../../http/problem.ts'
import { createDeletionClient } from '../../runs/deletion-client.ts'
import { createEmailChangeClient } from '../../runs/email-change-client.ts'

export const accountActNames = ['note', 'sign-out', 'waive-old-address', 'delete', 'child-report'] as const
export type AccountActName = (typeof accountActNames)[number]

export interface AccountAct {
  label: string
  does: string
  danger: boolean
  permission: OperatorPermission
  /** whether it is of use now */
  isOffered(rows: Pick<AccountRows, 'emailChanges'>): boolean
  /** about one change of address, which the form names: another one may have been asked for since */
  ofEmailChange: boolean
  /** the account is gone when its form is sent again */
  endsAccount: boolean
  /** the account that the entry of the act is about: null where the entry outlives the account */
  ownerOf(accountId: string): string | null
  /**
   * @param by the operator, as the security log names them
   * @param given.change the id of the change of address, where the act is about one
   */
  perform(accountId: string, by: string, given: { change?: string | undefined } & Partial<RequestIds>): Promise<void>
  /** The page that shows what was done. */
  resultOf(accountId: string): Promise<string | undefined>
}

export function createAccountActs(api: ApiContext) {
  const { sql, cipher } = api
  const emailChanges = createEmailChangeClient(api)
  const deletions = createDeletionClient(api)
  const page = async (id: string): Promise<string> => `/console/accounts/${id}`
  const receipt = async (id: string): Promise<string | undefined> => {
    const deletion = await findDeletion(sql, cipher.accountRef(id))
    return deletion && `/receipts/${deletion.receiptId}`
  }
  /** Who did it and why stays on record, and the account does not. */
  const deleting = (reason: DeletionReason) => ({
    danger: true,
    permission: 'privacy' as const,
    isOffered: () => true,
    ofEmailChange: false,
    endsAccount: true,
    ownerOf: () => null,
    async perform(id: string) {
      await deletions.deleteAccount(id, reason)
    },
    resultOf: receipt,
  })

  const acts: Readonly<Record<AccountActName, AccountAct>> = {
    note: {
      label: 'Note',
      does: 'The note appears on the page of the account.',
      danger: false,
      permission: 'tasks',
      isOffered: () => true,
      ofEmailChange: false,
      endsAccount: false,
      ownerOf: (id) => id,
      perform: async () => {},
      resultOf: page,
    },
    'sign-out': {
      label: 'Sign out everywhere',
      does: 'For a lost phone, or an account in other hands: the sign-ins of the person end in the app on all phones and on the web, and a change of address that is under way is cancelled. They sign in again with their own e-mail address, or by Apple or Google.',
      danger: true,
      permission: 'orders',
      isOffered: () => true,
      ofEmailChange: false,
      endsAccount: false,
      ownerOf: (id) => id,
      perform: (id) => endAllSignIns(sql, id, new Date()),
      resultOf: page,
    },
    'waive-old-address': {
      label: 'Waive the old address’ consent',
      does: 'The account gets its new address once that one agrees; the old one is not asked any more, and is notified. Do it only after you have identified the person by other means: the person who reads the mail of the new address gets the account.',
      danger: true,
      permission: 'privacy',
      isOffered: (rows) => rows.emailChanges.some((change) => change.state === 'open' && !change.old_confirmed_at),
      ofEmailChange: true,
      endsAccount: false,
      ownerOf: (id) => id,
      perform: async (id, by, { change, updateId }) => {
        await emailChanges.waiveOld(id, by, { change, updateId })
      },
      resultOf: page,
    },
    delete: {
      ...deleting('requested'),
      label: 'Delete the account',
      does: 'For a person who asks for it and reaches neither their account nor its mail; who does deletes it by themselves, in the app or on the page of their data. Do it only after you have identified the person by other means. The account is deleted now, with all personal data and the privacy requests: answer these first. Orders that were not delivered are refunded. It cannot be undone.',
    },
    // K1: data of a child is deleted.
    'child-report': {
      ...deleting('child'),
      label: 'Delete the account of a child',
      does: 'The account of a child under 13 is deleted now, with all personal data. Orders that were not delivered are refunded. The deletion is recorded with its reason and without the identity of the child. It cannot be undone.',
    },
  }

  return {
    acts,

    /** The entry of an act, without who and why. */
    entryOf: (name: AccountActName, accountId: string): Pick<NewOperatorAct, 'accountId' | 'orderId' | 'act'> => ({
      accountId: acts[name].ownerOf(accountId),
      orderId: null,
      act: name,
    }),

    /**
     * The change of address that an act is about. @throws Problem not_found; email_change_state_conflict when it is
     * over
     */
    async openEmailChange(accountId: string): Promise<EmailChange> {
      const change = await emailChanges.latest(accountId)
      if (change.state !== 'open') throw new Problem('email_change_state_conflict', { detail: 'None is open.' })
      return change
    },
  }
}
