/** Pages of the sign-in by a mailed link. */
import type { RefusedForm } from '../http/route.ts'
import { Notice } from './account/frame.tsx'
import { FaultSummary, Field, Form, formState } from './form.tsx'
import { type PageContext, renderLayout } from './layout.tsx'

/** The pages to which a sign-in can lead. */
export const destinations = ['account', 'account/data', 'delete-account'] as const
export type Destination = (typeof destinations)[number]

/**
 * @param notice the name of what was just done
 * @param refused the form as it was typed, if it was refused
 */
export function renderAskAddress(
  next: Destination,
  page: PageContext,
  { notice, refused }: { notice?: string | undefined; refused?: RefusedForm } = {},
): string {
  const { t } = page.texts
  const state = refused && formState(page.texts, refused, { email: t('account.ask.email') })
  return renderLayout({
    ...page,
    title: t('account.signIn.title'),
    hasFault: refused !== undefined,
    children: (
      <>
        <Notice texts={page.texts} of={notice} />
        <FaultSummary of={state} />
        {next === 'delete-account' ? <p>{t('account.signIn.toDelete')}</p> : null}
        <p>{t('account.signIn.text')}</p>
        <Form action="/account/sign-in">
          <input type="hidden" name="next" value={next} />
          <Field
            name="email"
            label={t('account.signIn.address')}
            state={state}
            type="email"
            autoComplete="email"
            required
            maxLength={254}
          />
          <button type="submit">{t('account.signIn.send')}</button>
        </Form>
      </>
    ),
  })
}

/** The same page with and without an account: it must not tell who has one. */
export function renderLinkSent(page: PageContext, validMinutes: number): string {
  const { t, rich } = page.texts
  return renderLayout({
    ...page,
    title: t('account.signIn.sent'),
    children: (
      <>
        <p>{t('account.signIn.sentText', { minutes: validMinutes })}</p>
        <p className="quiet">
          {rich('account.signIn.nothing', { again: (words) => <a href="/account/sign-in">{words}</a> })}
        </p>
      </>
    ),
  })
}

/**
 * Mail scanners follow links: only the button signs in. Somebody else may have sent the link, to have a person pay for
 * their eSIMs: the page says whose account it is.
 */
export function renderUseLink({ token, email }: { token: string; email: string }, page: PageContext): string {
  const { t } = page.texts
  return renderLayout({
    ...page,
    title: t('account.signIn.use'),
    children: (
      <>
        <p>{t('account.signIn.as', { address: email })}</p>
        <Form action={`/account/sign-in/${token}`}>
          <button type="submit">{t('account.signIn.title')}</button>
        </Form>
      </>
    ),
  })
}
