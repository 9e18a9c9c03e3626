import { outsideParties } from '../../policy/outside-parties.ts'
import { isKeyOf } from '../../shared/keys-of.ts'

/** A code in words: `refund_failed` and `refund-failed` become `refund failed`. */
export const plain = (code: string): string => code.replaceAll(/[_-]/g, ' ')

/** The name of an outside party as people write it. @param party other names stay as they are */
export const partyName = (party: string): string => (isKeyOf(outsideParties, party) ? outsideParties[party] : party)
