import { mail } from './account-mails.ts'
import { account } from './account-pages.ts'
import { common } from './common.ts'
import { deletion } from './deletion.ts'
import { install } from './install-page.ts'
import { order } from './order-mails.ts'
import { purchase } from './order-pages.ts'
import { page } from './pages.ts'
import { privacy } from './privacy-mails.ts'
import { trouble } from './problem-pages.ts'
import { problem } from './problems.ts'
import { push } from './pushes.ts'

export const de = { account, common, deletion, install, mail, order, page, privacy, problem, purchase, push, trouble }
