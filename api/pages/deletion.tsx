/** G3: what is deleted, the button, and the receipt. */
import { signatureNamespace, signerName } from '../../db/crypto/signer.ts'
import { day, moment } from '../../mails/format.ts'
import type { ErasureStep, StepState } from '../../policy/deletion.ts'
import { Facts, Form, WideTable } from './form.tsx'
import { renderLayout } from './layout.tsx'

/** @param csrf the token of a session with a fresh sign-in; without it the page asks to sign in */
export function renderDeleteAccount(supportMail: string, csrf?: string): string {
  return renderLayout({
    title: 'Delete your account',
    supportMail,
    children: (
      <>
        <p>At once, and for good:</p>
        <ul>
          <li>your name, address, phone number, devices and sign-ins are deleted here,</li>
          <li>
            orders that were not delivered are refunded, eSIMs are shown nowhere any more: keep their codes if you need
            them,
          </li>
          <li>Apple, Google, our payment processor and the other partners are told to delete what they hold,</li>
          <li>invoices stay for seven years, without anything that names you,</li>
          <li>backups that hold your data are gone in thirty days, and are never used to bring it back.</li>
        </ul>
        {csrf === undefined ? (
          <p>
            <a className="button" href="/account/sign-in?next=delete-account">
              Sign in to delete
            </a>
          </p>
        ) : (
          <Form action="/delete-account" csrf={csrf}>
            <label className="choice">
              <input type="checkbox" name="understood" required /> I understand that this cannot be undone.
            </label>
            <button type="submit" className="danger">
              Delete my account now
            </button>
          </Form>
        )}
        <p className="quiet">In the app: settings, your account, delete.</p>
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

const names: Record<ErasureStep, string> = {
  database: 'Our database, looked through once more',
  temporal: 'Our workflow records',
  apple: 'Apple sign-in',
  google: 'Google sign-in',
  firebase: 'Firebase',
  stripe: 'Your saved cards at Stripe',
  esim_provider: 'eSIM provider',
  mail: 'Our last mail to you',
  backups: 'Our backups',
  stripe_redaction: 'Your payments at Stripe, which it keeps for 90 days',
}

const states: Record<StepState, string> = {
  pending: 'not yet',
  done: 'deleted',
  nothing_held: 'held nothing of you',
  by_hand: 'only you can do this:',
  not_enabled: 'is not needed here',
  needs_operator: 'did not take it; we are looking into it',
}

const verifyCommand = `ssh-keygen -Y verify -f ama-esim-signing-keys -I ${signerName} -n ${signatureNamespace} -s receipt.json.sig < receipt.json`

export function renderReceipt(receipt: ReceiptPage, supportMail: string): string {
  return renderLayout({
    title: 'Receipt of a deletion',
    supportMail,
    children: (
      <>
        <Facts
          of={[
            ['Deleted here', moment(receipt.erasedAt)],
            ['Last backup gone by', day(receipt.backupsGoneBy)],
            ['Everybody done', receipt.completedAt ? moment(receipt.completedAt) : 'not yet'],
            ['Receipt', receipt.receiptId],
          ]}
        />
        <WideTable label="Steps of the deletion" heads={['Who', 'What became of it', 'Since']}>
          {receipt.processors.map(({ processor, state, changedAt, instruction }) => (
            <tr key={processor}>
              <th scope="row">{names[processor]}</th>
              <td>
                {processor === 'mail' && state === 'done' ? 'sent, and your address forgotten' : states[state]}
                {processor === 'backups' && state === 'pending' ? `, gone by ${day(receipt.backupsGoneBy)}` : null}
                {instruction ? <p>{instruction}</p> : null}
              </td>
              <td>{day(changedAt)}</td>
            </tr>
          ))}
        </WideTable>
        <h2>Check it without trusting us</h2>
        <p>
          Keep these two files: <a href={`/receipts/${receipt.receiptId}/receipt.json`}>receipt.json</a> says what was
          deleted, <a href={`/receipts/${receipt.receiptId}/receipt.json.sig`}>receipt.json.sig</a> is our signature.{' '}
          <a href="/.well-known/ama-esim-signing-keys">ama-esim-signing-keys</a> are our public keys. With all three in
          a folder, this command says “Good” if not a byte was changed. It needs no installation on Windows, macOS and
          Linux.
        </p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard cannot scroll the command */}
        <pre className="scroll" tabIndex={0}>
          <code>{verifyCommand}</code>
        </pre>
        <p>
          {receipt.entry === null
            ? 'By tomorrow the hash of receipt.json will also be in our '
            : `The hash of receipt.json is entry ${receipt.entry} of our `}
          <a href="/v1/transparency-log">public log</a>, which cannot be changed afterwards without everybody seeing it.
          The log names nobody.
        </p>
        <p className="quiet">This page says nothing about whom it is about. Whoever knows its address can read it.</p>
      </>
    ),
  })
}
