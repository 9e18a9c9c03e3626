/** The page at `/`: it leads a person to their eSIMs and their rights who knows only our address. */
import type { Texts } from '../../messages/texts.ts'
import { Icon, type IconName } from './brand/icons.tsx'
import { type PageContext, renderLayout } from './layout.tsx'

interface Way {
  href: string
  icon: IconName
  name: string
  about: string
}

const waysIn = ({ t }: Texts): Way[] => [
  { href: '/account', icon: 'sim', name: t('common.myEsims'), about: t('account.start.esims') },
  { href: '/account/data', icon: 'person', name: t('account.myData'), about: t('account.start.data') },
  { href: '/privacy', icon: 'shield', name: t('page.policy.title'), about: t('account.start.policy') },
  { href: '/delete-account', icon: 'warning', name: t('deletion.title'), about: t('account.start.delete') },
  { href: '/docs', icon: 'data', name: t('account.start.docs'), about: t('account.start.docsText') },
]

export function renderStart(page: PageContext): string {
  const { t } = page.texts
  return renderLayout({
    ...page,
    title: t('account.start.title'),
    children: (
      <>
        <p>{t('account.start.text')}</p>
        <div className="card">
          <ul className="rows">
            {waysIn(page.texts).map(({ href, icon, name, about }) => (
              <li key={href}>
                <a href={href}>
                  <Icon of={icon} />
                  <span className="grow">
                    <strong>{name}</strong>
                    <br />
                    <span className="quiet">{about}</span>
                  </span>
                  <Icon of="forward" />
                </a>
              </li>
            ))}
          </ul>
        </div>
      </>
    ),
  })
}
