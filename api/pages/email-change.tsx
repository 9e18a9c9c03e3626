/**
 * G2, everybody can correct their data: pages on which each address agrees to a change. They need a button, since mail
 * scanners follow links.
 */
import { Icon } from './brand/icons.tsx'
import { type PageContext, renderLayout } from './layout.tsx'

export type EmailChangePage =
  /** which new address, since somebody else may have asked for another one */
  { state: 'ask_old'; newEmail: string } | { state: 'ask_new' | 'agreed' | 'changed' | 'over' }

/** A change ends the sessions of the web. */
const wayOn = {
  agreed: { href: '/account', label: 'common.myEsims' },
  changed: { href: '/account/sign-in', label: 'trouble.signIn' },
  over: { href: '/account/data', label: 'account.myData' },
} as const

export function renderEmailChange(what: EmailChangePage, page: PageContext): string {
  const { t } = page.texts
  return renderLayout({
    ...page,
    title: t(`page.emailChange.${what.state}`),
    children:
      what.state === 'ask_old' ? (
        <Ask
          text={t('page.emailChange.askOldText', { address: what.newEmail })}
          note={t('page.emailChange.askOldNote')}
          agree={t('page.emailChange.agree')}
        />
      ) : what.state === 'ask_new' ? (
        <Ask
          text={t('page.emailChange.askNewText')}
          note={t('page.emailChange.askNewNote')}
          agree={t('page.emailChange.agree')}
        />
      ) : (
        <>
          <p>{t(`page.emailChange.${what.state}Text`)}</p>
          <p>
            <a className="way" href={wayOn[what.state].href}>
              <Icon of="forward" /> {t(wayOn[what.state].label)}
            </a>
          </p>
        </>
      ),
  })
}

function Ask({ text, note, agree }: Record<'text' | 'note' | 'agree', string>) {
  return (
    <>
      <p>{text}</p>
      <form method="post">
        <button type="submit">{agree}</button>
      </form>
      <p className="quiet">{note}</p>
    </>
  )
}
