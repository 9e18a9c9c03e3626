/** G1, everybody can see their data: the page that shows who has read a person's data. */

import type { Texts } from '../../../messages/texts.ts'
import { type FieldGroup, fieldGroups } from '../../../policy/field-groups.ts'
import { WideTable } from '../form.tsx'
import { type PageContext, renderLayout } from '../layout.tsx'
import { AccountNav } from './frame.tsx'

interface Access {
  id: string
  at: Date
  by: 'service' | 'operator' | 'person'
  fields: readonly string[]
}

export interface AccessesPage {
  days: number
  /** the newest first */
  items: readonly Access[]
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
              {alikeTogether(items).map(({ newest, oldest, count }) => (
                <tr key={newest.id}>
                  <td>
                    {count === 1
                      ? moment(newest.at)
                      : t('account.accesses.times', { count, from: moment(oldest.at), to: moment(newest.at) })}
                  </td>
                  <td>{t(`account.accesses.by.${newest.by}`)}</td>
                  <td className="what">{newest.fields.map((field) => nameOf(field, texts)).join(', ')}</td>
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

/**
 * Reads in a row by the same for the same. An app that asks every second whether an order is delivered would otherwise
 * fill the pages on which our staff is looked for.
 */
function alikeTogether(items: AccessesPage['items']) {
  const rows: { newest: Access; oldest: Access; count: number }[] = []
  for (const item of items) {
    const row = rows.at(-1)
    if (row && row.newest.by === item.by && `${row.newest.fields}` === `${item.fields}`) {
      row.oldest = item
      row.count += 1
    } else rows.push({ newest: item, oldest: item, count: 1 })
  }
  return rows
}

/** The log may have groups of another version. */
const nameOf = (field: string, { t }: Texts): string => (isGroup(field) ? t(`account.accesses.field.${field}`) : field)

const isGroup = (field: string): field is FieldGroup => Object.hasOwn(fieldGroups, field)
