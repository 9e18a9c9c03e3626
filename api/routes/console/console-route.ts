/** The common parts of the console's routes. */
import type { ApiContext } from '../../../context.ts'
import type { ConsoleUser } from '../../http/caller.ts'
import type { ConsoleFrame } from '../../pages/console/frame.tsx'
import type { WaysToSignIn } from '../../pages/console/sign-in/sign-in.tsx'
import { layoutHeaders } from '../../pages/layout.tsx'
import { keysMaySignIn } from '../../sign-in/session-cookie.ts'

export const page = { description: 'A page', contentType: 'text/html' } as const
/** The answer of a form. */
export const done = { 303: { description: 'Done; the answer is on another page' }, 200: page } as const
export const headers = layoutHeaders({ forms: true })

export const goTo = (path: string) => ({ status: 303 as const, headers: { Location: path } })

export const waysToSignIn = ({ config, operatorSignIn }: ApiContext): WaysToSignIn => ({
  keys: keysMaySignIn(config),
  openId: operatorSignIn !== undefined,
})

export const frameOf = ({ config, temporal }: ApiContext, { csrf, label }: ConsoleUser): ConsoleFrame => ({
  supportMail: config.SUPPORT_MAIL,
  csrf,
  label,
  ui: { url: config.TEMPORAL_UI_URL, namespace: temporal.options.namespace },
})
