import { Icon } from '../brand/icons.tsx'
import { Facts } from '../form.tsx'
import { renderLayout } from '../layout.tsx'
import type { InvoiceContent } from './invoice-content.ts'

/** An invoice or a credit note as a page, which prints on one sheet. */
export function renderInvoice(content: InvoiceContent, orderPath: string, supportMail: string): string {
  const { title, number, facts, line, totals, notes } = content
  return renderLayout({
    title: `${title} ${number}`,
    supportMail,
    back: { href: orderPath, label: 'Back to the order' },
    children: (
      <>
        <section className="card">
          <Facts of={facts} />
          <table>
            <thead>
              <tr>
                <th scope="col">Description</th>
                <th scope="col" className="amount">
                  Quantity
                </th>
                <th scope="col" className="amount">
                  Net
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
            <Icon of="download" /> Download as PDF
          </a>
        </p>
      </>
    ),
  })
}
