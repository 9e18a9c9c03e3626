import { mail } from './account-mails.ts'
import { common } from './common.ts'
import { order } from './order-mails.ts'
import { privacy } from './privacy-mails.ts'
import { push } from './pushes.ts'

export const en = { common, mail, order, privacy, push }
