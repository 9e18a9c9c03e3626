/** The layout of every page for persons: no requests to other hosts, no caching unless asked for. */
import type { ReactNode } from 'react'
import type { Language } from '../../messages/languages.ts'
import { type Texts, textsOf } from '../../messages/texts.ts'
import { Icon } from './brand/icons.tsx'
import { Wordmark } from './brand/wordmark.tsx'
import { copyScriptHash } from './copy-script.ts'
import { renderPage } from './document.tsx'
import { LanguageSwitch } from './language-switch.tsx'
import { styleHash } from './style.ts'

export interface PageLayout {
  title: string
  /** of the title, if it is not that of the page */
  titleLanguage?: Language | undefined
  supportMail: string
  texts: Texts
  /** path and query of the page, to which the switch of its language leads back; without it there is no switch */
  address?: string | undefined
  /** in the page's head instead of the way to a person's eSIMs */
  head?: ReactNode
  /** what leads back, shown above the heading */
  back?: { href: string; label: string } | undefined
  /** a form on the page was refused: the title says so */
  hasFault?: boolean
  /** needs `copyButtons` in the headers, too */
  copyButtons?: boolean
  /** the page to which the browser goes on at once */
  next?: string
  children: ReactNode
}

/** The context of every page for persons; `Handled.page()` makes it. */
export interface PageContext extends Required<Pick<PageLayout, 'supportMail' | 'texts' | 'address'>> {}

/** Pages for operators are in English, and have no switch of the language. */
export const englishPage = (supportMail: string): Pick<PageLayout, 'supportMail' | 'texts'> => ({
  supportMail,
  texts: textsOf('en'),
})

/** Renders a page with the brand, one heading, its content and our address. */
export function renderLayout({
  title,
  titleLanguage,
  supportMail,
  texts,
  address,
  head,
  back,
  hasFault,
  copyButtons = false,
  next,
  children,
}: PageLayout): string {
  return renderPage(
    `${hasFault ? `${texts.t('common.error')}: ` : ''}${title} · AMA eSIM`,
    <>
      <a className="skip" href="#content">
        {texts.t('common.skip')}
      </a>
      <header>
        <a href="/" aria-label={texts.t('common.startPage')}>
          <Wordmark />
        </a>
        {head === undefined ? (
          <nav aria-label={texts.t('common.site')}>
            <a href="/account">
              <Icon of="sim" /> {texts.t('common.myEsims')}
            </a>
          </nav>
        ) : (
          head
        )}
        {address === undefined ? null : <LanguageSwitch texts={texts} address={address} />}
      </header>
      <main id="content">
        {back ? (
          <a className="way screen" href={back.href}>
            <Icon of="back" /> {back.label}
          </a>
        ) : null}
        <h1 lang={titleLanguage}>{title}</h1>
        {children}
        {copyButtons ? <p id="copied" className="quiet" role="status" /> : null}
      </main>
      <footer>
        <p>
          {texts.rich('common.questions', {
            address: supportMail,
            mail: (words) => <a href={`mailto:${supportMail}`}>{words}</a>,
            privacy: (words) => <a href="/privacy">{words}</a>,
          })}
        </p>
        <p>{texts.t('common.imprint')}</p>
      </footer>
    </>,
    { copyButtons, language: texts.language, next },
  )
}

/** The powers of a page beyond showing text. */
export interface PagePowers {
  /** forms that post to this site */
  forms?: boolean
  /** images that are embedded in the page */
  images?: boolean
  /** the script of the copy buttons */
  copyButtons?: boolean
  /** allows shared caching; without it the page is not stored anywhere */
  maxAgeSeconds?: number
}

/** The security and caching headers of a page. */
export function layoutHeaders(powers: PagePowers = {}): Record<string, string> {
  const { forms = false, images = false, copyButtons = false, maxAgeSeconds } = powers
  return {
    'Cache-Control': maxAgeSeconds === undefined ? 'no-store' : `public, max-age=${maxAgeSeconds}`,
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src ${styleHash}`,
      ...(copyButtons ? [`script-src ${copyScriptHash}`] : []),
      // The favicon is an image of this site.
      `img-src 'self'${images ? ' data:' : ''}`,
      "base-uri 'none'",
      `form-action ${forms ? "'self'" : "'none'"}`,
      "frame-ancestors 'none'",
    ].join('; '),
    // Where nothing of a page's address may be sent, its forms come from the origin `null`, as those of any such page.
    'Referrer-Policy': forms ? 'strict-origin' : 'no-referrer',
  }
}
