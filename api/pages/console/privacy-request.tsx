import { moment } from '../../../mails/format.ts'
import { answerKinds, extensionReasons } from '../../../workflows/privacy-request.contract.ts'
import { Facts, Form } from '../form.tsx'
import { type ConsoleFrame, renderConsolePage } from './frame.tsx'
import { plain } from './parts.tsx'

export interface RequestPage {
  request: {
    id: string
    reference: string
    kind: string
    state: string
    accountId: string | null
    receivedAt: Date
    answerBy: Date
    message: string
    replyTo: string | null
    answer: string | null
    answerKind: string | null
    isExtended: boolean
  }
}

/** G6: a request, and the form that answers it. */
export function renderRequest(frame: ConsoleFrame, { request }: RequestPage): string {
  return renderConsolePage(frame, {
    title: `Privacy request ${request.reference}`,
    children: (
      <>
        <Facts
          of={[
            ['About', request.kind],
            ['State', request.state],
            ['Received', moment(request.receivedAt)],
            ['Answer by', moment(request.answerBy)],
            [
              'Account',
              request.accountId ? (
                <a key="account" href={`/console/accounts/${request.accountId}`}>
                  {request.accountId}
                </a>
              ) : (
                'none'
              ),
            ],
            ['Answer to', request.replyTo ?? "the account's address"],
          ]}
        />
        <h2>What was asked</h2>
        <pre>{request.message}</pre>
        {request.answer || request.state === 'answered' ? (
          <>
            <h2>What was answered</h2>
            <p>{request.answerKind}</p>
            <pre>{request.answer ?? 'Answered elsewhere.'}</pre>
          </>
        ) : (
          <>
            <Form action={`/console/privacy-requests/${request.id}/resolve`} csrf={frame.csrf}>
              <h2>Answer</h2>
              <label>
                Outcome
                <select name="answerKind">
                  {answerKinds.map((kind) => (
                    <option key={kind} value={kind}>
                      {kind.replaceAll('_', ' ')}
                    </option>
                  ))}
                </select>
              </label>
              <label>
                Mailed to the person; leave it empty if they were answered elsewhere
                <textarea name="answer" maxLength={20_000} />
              </label>
              <button type="submit">Answer</button>
            </Form>
            {request.isExtended ? null : (
              <Form action={`/console/privacy-requests/${request.id}/extend`} csrf={frame.csrf}>
                <h2>Extend</h2>
                <p>Once, by two months. The reason is mailed to the person.</p>
                <label>
                  Reason
                  <select name="reason">
                    {extensionReasons.map((reason) => (
                      <option key={reason} value={reason}>
                        {plain(reason)}
                      </option>
                    ))}
                  </select>
                </label>
                <button type="submit" className="plain">
                  Extend
                </button>
              </Form>
            )}
          </>
        )}
      </>
    ),
  })
}
