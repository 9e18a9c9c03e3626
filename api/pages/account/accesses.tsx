/** G1, everybody can see their data: the page that shows who has read a person's data. */

import type { Texts } from '../../../messages/texts.ts'
import { type FieldGroup, fieldGroups } from '../../../policy/field-groups.ts'
import { WideTable } from '../form.tsx'
import { type PageContext, renderLayout } from '../layout.tsx'
import { AccountNav } from './frame.tsx'

export interface AccessesPage {
  days: number
  items: readonly { id: string; at: Date; by: 'service' | 'operator' | 'person'; fields: readonly string[] }[]
  /** the address of the page after; null on the last one */
  next: string | null
}

export function renderAccesses({ days, items, next }: AccessesPage, page: PageContext): string {
  const { texts } = page
  const { t, moment } = texts
  const title = t('account.accesses.title')
  return renderLayout({
    ...page,
    title,
    children: (
      <>
        <AccountNav texts={texts} current="/account/data" />
        <section className="card">
          <p>{t('account.accesses.text', { days })}</p>
          {items.length === 0 ? <p>{t('account.accesses.none')}</p> : null}
          {items.length === 0 ? null : (
            <WideTable
              label={title}
              heads={[t('account.accesses.when'), t('account.accesses.who'), t('account.accesses.what')]}
              stacks
            >
              {items.map(({ id, at, by, fields }) => (
                <tr key={id}>
                  <td>{moment(at)}</td>
                  <td>{t(`account.accesses.by.${by}`)}</td>
                  <td className="what">{fields.map((field) => nameOf(field, texts)).join(', ')}</td>
                </tr>
              ))}
            </WideTable>
          )}
          {next ? (
            <p>
              <a href={next}>{t('account.accesses.older')}</a>
            </p>
          ) : null}
        </section>
      </>
    ),
  })
}

/** The log may have groups of another version. */
const nameOf = (field: string, { t }: Texts): string => (isGroup(field) ? t(`account.accesses.field.${field}`) : field)

const isGroup = (field: string): field is FieldGroup => Object.hasOwn(fieldGroups, field)
