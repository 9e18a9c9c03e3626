/** Sign-in on the web pages: a person by a mailed link, an operator on the console. */
import { v4 as uuid } from 'uuid'
import type { Context } from '../../context.ts'
import { emailIndexOf, findAccount, findAccountByEmail, lockAccount, recordSignIn } from '../../db/accounts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import {
  createSignInLink,
  deleteLinkTokens,
  type LinkToken,
  peekLinkToken,
  spendLinkToken,
} from '../../db/crypto/link-tokens.ts'
import { spendAllowance } from '../../db/requests/allowances.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import { deleteExpiredSessions, type OpenIdColumns, openSession } from '../../db/web-sessions.ts'
import { renderSignInLink } from '../../mails/sign-in-link.tsx'
import { textsOf } from '../../messages/texts.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { Destination } from '../pages/sign-in.tsx'
import { sessionCookie } from './session-cookie.ts'

const validMinutes = periods.signInLinkMs / milliseconds.minute

interface From {
  ip: string | undefined
  requestId: string
}

/** Sign-in on the web by a link that is mailed. */
export function createWebSignIn(context: Context) {
  const { sql, config, log } = context
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }

  return {
    validMinutes,

    /**
     * Mails a link if the address has an account. Returns at once in any case: the duration would tell whether the
     * account exists. A failure is only logged; the person can request another link.
     */
    requestLink(email: string, next: Destination): void {
      mailLink(email, next).catch((error: unknown) => log.error({ error }, 'a sign-in link could not be mailed'))
    },

    mailLink,

    /**
     * Spends a link.
     * @param replaces the secret of the session that the browser had until now
     * @returns the session cookie and the next page; undefined for an unknown, spent or expired link
     */
    async takeLink(
      secret: string,
      replaces: string | undefined,
      from: From,
    ): Promise<{ cookie: string; next: string } | undefined> {
      const at = new Date()
      const life = periods.webSession.personMs
      await deleteExpiredSessions(sql, at)
      const opened = await sql.begin((tx) => openByLink(tx, secret, { replaces, at, expiresAt: plusMs(at, life) }))
      if (!opened) return undefined
      const { session, link } = opened
      const { accountId } = link
      await recordSignIn(sql, context, { id: accountId, ip: from.ip ?? null, at })
      await recordSecurityEvent(sql, context, { kind: 'sign_in', actor: 'person', accountId, ...from, at })
      return { cookie: sessionCookie('visitor', session, life, config.PUBLIC_URL), next: `/${link.next ?? 'account'}` }
    },

    /**
     * Opens the session of an operator, or of an operator key.
     * @param openId of a sign-in at the OpenID provider: a session that it cannot be asked about is a short one
     * @returns its cookie
     */
    async openConsole(
      owner: { keyId: string } | { operatorId: string },
      replaces: string | undefined,
      from: From,
      openId?: OpenIdColumns,
    ): Promise<string> {
      const at = new Date()
      const { operatorMs, unconfirmedOperatorMs } = periods.webSession
      const life = openId && !openId.openid_refresh_token ? unconfirmedOperatorMs : operatorMs
      await deleteExpiredSessions(sql, at)
      const session = await openSession(sql, { owner, replaces, at, expiresAt: plusMs(at, life), openId })
      const id = 'keyId' in owner ? owner.keyId : owner.operatorId
      const event = { kind: 'operator_action', actor: `operator:${id}`, detail: 'console sign-in' } as const
      await recordSecurityEvent(sql, context, { ...event, ...from, at })
      return sessionCookie('console', session, life, config.PUBLIC_URL)
    },
  }

  /**
   * Spends a link and opens its session, with the account locked: a change of address, or the end of the sign-ins,
   * deletes either the link or the session.
   */
  async function openByLink(
    tx: Transaction,
    secret: string,
    session: Pick<Parameters<typeof openSession>[1], 'replaces' | 'at' | 'expiresAt'>,
  ): Promise<{ session: string; link: LinkToken } | undefined> {
    const known = await peekLinkToken(tx, secret, ['sign_in'], session.at)
    if (!known) return undefined
    const { accountId } = known
    await lockAccount(tx, accountId)
    const link = await spendLinkToken(tx, secret, 'sign_in', session.at)
    return link && { session: await openSession(tx, { owner: { accountId }, ...session }), link }
  }

  /** Mails a link if the address has an account that has not asked too often, and resolves once that is done. */
  async function mailLink(email: string, next: Destination): Promise<void> {
    const at = new Date()
    const accountId = await findAccountByEmail(sql, context, email)
    const account = accountId === undefined ? undefined : await findAccount(sql, context, accountId)
    if (!account) return
    await deleteLinkTokens(sql, at)
    const spent = { kind: 'sign_in_link', subject: { accountId: account.id }, at } as const
    if ((await spendAllowance(sql, context, spent)) !== undefined) return
    const expiresAt = plusMs(at, periods.signInLinkMs)
    const addressIndex = emailIndexOf(context, account.email)
    const secret = await createSignInLink(sql, { accountId: account.id, addressIndex, next, at, expiresAt })
    if (secret === undefined) return
    const url = new URL(`/account/sign-in/${secret}`, config.PUBLIC_URL).href
    const messageId = `<${uuid()}@${config.MAIL_BOUNCE_DOMAIN}>`
    const mail = renderSignInLink({ site, texts: textsOf(account.language), url, validMinutes })
    await context.mail.send(mail, { kind: 'transactional', to: account.email, messageId })
  }
}
