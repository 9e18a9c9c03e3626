/** G3, everybody can delete their account at once: the list of what is deleted, the button, and the receipt. */
import type { ReactNode } from 'react'
import { signatureNamespace, signerName } from '../../db/crypto/signer.ts'
import type { ErasureStep, StepState } from '../../policy/deletion.ts'
import type { RefusedForm } from '../http/route.ts'
import { Facts, FaultSummary, Form, formState, Tick, WideTable } from './form.tsx'
import { type PageContext, renderLayout } from './layout.tsx'

/**
 * @param csrf the token of a session with a fresh sign-in; without it the page asks to sign in
 * @param refused the form as it was sent, if it was refused
 */
export function renderDeleteAccount(page: PageContext, csrf?: string, refused?: RefusedForm): string {
  const { t } = page.texts
  const state = refused && formState(page.texts, refused, { understood: t('deletion.ask') })
  return renderLayout({
    ...page,
    title: t('deletion.title'),
    hasFault: refused !== undefined,
    children: (
      <>
        <FaultSummary of={state} />
        <p>{t('deletion.atOnce')}</p>
        <ul>
          <li>{t('deletion.data')}</li>
          <li>{t('deletion.orders')}</li>
          <li>{t('deletion.subProcessors')}</li>
          <li>{t('deletion.invoices')}</li>
          <li>{t('deletion.backups')}</li>
        </ul>
        {csrf === undefined ? (
          <p>
            <a className="button" href="/account/sign-in?next=delete-account">
              {t('deletion.signIn')}
            </a>
          </p>
        ) : (
          <Form action="/delete-account" csrf={csrf}>
            <Tick name="understood" label={t('deletion.understood')} state={state} required />
            <button type="submit" className="danger">
              {t('deletion.now')}
            </button>
          </Form>
        )}
        <p className="quiet">{t('deletion.inApp')}</p>
      </>
    ),
  })
}

export interface ReceiptPage {
  receiptId: string
  erasedAt: Date
  backupsGoneBy: Date
  completedAt: Date | null
  /** its number in the transparency log; null until the night after */
  entry: number | null
  processors: { processor: ErasureStep; state: StepState; changedAt: Date; instruction: string | null }[]
}

const verifyCommand = `ssh-keygen -Y verify -f ama-esim-signing-keys -I ${signerName} -n ${signatureNamespace} -s receipt.json.sig < receipt.json`

export function renderReceipt(receipt: ReceiptPage, page: PageContext): string {
  const { t, rich, day, moment } = page.texts
  const file = `/receipts/${receipt.receiptId}/receipt.json`
  const log = (words: ReactNode) => <a href="/v1/transparency-log">{words}</a>
  const outcome = (processor: ErasureStep, state: StepState): string => {
    if (processor === 'mail' && state === 'done') return t('deletion.mailSent')
    if (processor === 'backups' && state === 'pending')
      return t('deletion.backupsPending', { day: day(receipt.backupsGoneBy) })
    return t(`deletion.state.${state}`)
  }
  return renderLayout({
    ...page,
    title: t('deletion.receipt'),
    children: (
      <>
        <Facts
          of={[
            [t('deletion.fact.here'), moment(receipt.erasedAt)],
            [t('deletion.fact.backups'), day(receipt.backupsGoneBy)],
            [t('deletion.fact.everybody'), receipt.completedAt ? moment(receipt.completedAt) : t('deletion.notYet')],
            [t('deletion.fact.receipt'), receipt.receiptId],
          ]}
        />
        <WideTable
          label={t('deletion.table')}
          heads={[t('deletion.head.who'), t('deletion.head.what'), t('deletion.head.since')]}
          stacks
        >
          {receipt.processors.map(({ processor, state, changedAt, instruction }) => (
            <tr key={processor}>
              <th scope="row" className="what">
                {t(`deletion.step.${processor}`)}
              </th>
              <td>
                {outcome(processor, state)}
                {instruction ? <p>{t('deletion.removeApple')}</p> : null}
              </td>
              <td>{day(changedAt)}</td>
            </tr>
          ))}
        </WideTable>
        <h2>{t('deletion.check.title')}</h2>
        <p>
          {rich('deletion.check.files', {
            receipt: (words) => <a href={file}>{words}</a>,
            signature: (words) => <a href={`${file}.sig`}>{words}</a>,
            keys: (words) => <a href="/.well-known/ama-esim-signing-keys">{words}</a>,
          })}
        </p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard cannot scroll the command */}
        <pre className="scroll" tabIndex={0}>
          <code>{verifyCommand}</code>
        </pre>
        <p>
          {receipt.entry === null
            ? rich('deletion.check.tomorrow', { log })
            : rich('deletion.check.entry', { entry: String(receipt.entry), log })}
        </p>
        <p className="quiet">{t('deletion.anyone')}</p>
      </>
    ),
  })
}
