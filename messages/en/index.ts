import { mail } from './account-mails.ts'
import { common } from './common.ts'
import { deletion } from './deletion.ts'
import { order } from './order-mails.ts'
import { page } from './pages.ts'
import { privacy } from './privacy-mails.ts'
import { problem } from './problems.ts'
import { push } from './pushes.ts'

export const en = { common, deletion, mail, order, page, privacy, problem, push }
