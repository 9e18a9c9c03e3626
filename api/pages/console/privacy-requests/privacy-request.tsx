import { moment } from '../../../../mails/format.ts'
import { Facts } from '../../form.tsx'
import { type ConsoleFrame, renderConsolePage } from '../frame.tsx'
import { Written } from '../parts.tsx'

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

/** G6, requests are answered within 30 days: the page of a request, with the acts that are possible. */
export function renderRequest(frame: ConsoleFrame, { request }: RequestPage): string {
  return renderConsolePage(frame, {
    part: '/console/privacy-requests',
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
        <Written>{request.message}</Written>
        {request.answer || request.state === 'answered' ? (
          <>
            <h2>What was answered</h2>
            <p>{request.answerKind}</p>
            {request.answer === null ? <p>Answered elsewhere.</p> : <Written>{request.answer}</Written>}
          </>
        ) : (
          <p>
            <a className="button" href={`/console/privacy-requests/${request.id}/resolve`}>
              Answer
            </a>{' '}
            {request.isExtended ? null : (
              <a className="button plain" href={`/console/privacy-requests/${request.id}/extend`}>
                Extend
              </a>
            )}
          </p>
        )}
      </>
    ),
  })
}
