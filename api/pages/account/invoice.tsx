import { Icon } from '../brand/icons.tsx'
import { Facts } from '../form.tsx'
import { type PageContext, renderLayout } from '../layout.tsx'
import type { InvoiceContent } from './invoice-content.ts'

/** An invoice or a credit note as a page, which prints on one sheet. */
export function renderInvoice(content: InvoiceContent, orderPath: string, page: PageContext): string {
  const { title, number, facts, line, totals, notes } = content
  const { t } = page.texts
  return renderLayout({
    ...page,
    title,
    back: { href: orderPath, label: t('purchase.invoice.back') },
    children: (
      <>
        <section className="card">
          <Facts of={facts} />
          <table>
            <thead>
              <tr>
                <th scope="col">{t('purchase.invoice.description')}</th>
                <th scope="col" className="amount">
                  {t('purchase.invoice.quantity')}
                </th>
                <th scope="col" className="amount">
                  {t('purchase.invoice.net')}
                </th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <td>{line.description}</td>
                <td className="amount">{line.quantity}</td>
                <td className="amount">{line.amount}</td>
              </tr>
              {totals.map(([name, amount], index) => (
                <tr key={name} className={index === totals.length - 1 ? 'total' : undefined}>
                  <th scope="row" colSpan={2}>
                    {name}
                  </th>
                  <td className="amount">{amount}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {notes.map((note) => (
            <p key={note} className="quiet">
              {note}
            </p>
          ))}
        </section>
        <p className="screen">
          <a className="button" href={`${orderPath}/documents/${number}/pdf`}>
            <Icon of="download" /> {t('purchase.invoice.download')}
          </a>
        </p>
      </>
    ),
  })
}
