/** The open sessions of the operator who is signed in. */
import type { OwnSession } from '../../../../db/web-sessions.ts'
import { moment } from '../../../../mails/format.ts'
import { Form } from '../../form.tsx'
import { type ConsoleFrame, renderConsolePage } from '../frame.tsx'
import { Button, Table } from '../parts.tsx'

export function renderSessions(
  frame: ConsoleFrame,
  { sessions, mayEnd }: { sessions: readonly OwnSession[]; mayEnd: boolean },
): string {
  const { csrf } = frame
  const hasOthers = sessions.some(({ isThis }) => !isThis)
  return renderConsolePage(frame, {
    title: 'Your sessions',
    children: (
      <>
        {mayEnd || !hasOthers ? null : (
          <p className="notice">To end another session, sign out and in again: your sign-in here is some time ago.</p>
        )}
        <Table heads={['Signed in', 'Ends', 'Session']}>
          {sessions.map(({ id, signedInAt, expiresAt, isThis }) => (
            <tr key={id}>
              <td>{moment(signedInAt)}</td>
              <td>{moment(expiresAt)}</td>
              <td>{isThis ? 'This browser' : mayEnd ? <End csrf={csrf} id={id} of={moment(signedInAt)} /> : null}</td>
            </tr>
          ))}
        </Table>
        {mayEnd && hasOthers ? (
          <Button action="/console/sessions/end" csrf={csrf} label="End all other sessions" danger />
        ) : null}
      </>
    ),
  })
}

function End({ csrf, id, of }: { csrf: string; id: string; of: string }) {
  return (
    <Form action="/console/sessions/end" csrf={csrf} inline>
      <input type="hidden" name="session" value={id} />
      <button type="submit" className="plain" aria-label={`End: ${of}`}>
        End
      </button>
    </Form>
  )
}
