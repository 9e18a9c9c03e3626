/** The further fields of the acts on a privacy request. */
import { privacyRequestKinds } from '../../../db/privacy-requests.ts'
import { answerKinds, extensionReasons } from '../../../workflows/privacy-request.contract.ts'
import { Choice, Field, type FormState, TextField } from '../form.tsx'
import { choicesOf } from './parts.tsx'

export function EnterFields({ state, hasAccount }: { state: FormState; hasAccount: boolean }) {
  return (
    <>
      <Choice name="kind" label="About" options={choicesOf(privacyRequestKinds)} state={state} />
      <TextField name="message" label="What was asked for" required maxLength={20_000} state={state} />
      <Field name="received" label="The day on which it arrived; empty for today" type="date" state={state} />
      <Field
        name="replyTo"
        label={
          hasAccount
            ? 'Answer to; empty for the address of the account. Another one only after you have identified the person'
            : 'Answer to'
        }
        type="email"
        maxLength={254}
        autoComplete="off"
        state={state}
      />
    </>
  )
}

export function AnswerFields({ state }: { state: FormState }) {
  return (
    <>
      <Choice name="answerKind" label="Outcome" options={choicesOf(answerKinds)} state={state} />
      <TextField
        name="answer"
        label="Mailed to the person; leave it empty if they were answered elsewhere"
        maxLength={20_000}
        state={state}
      />
    </>
  )
}

export function ExtensionFields({ state }: { state: FormState }) {
  return <Choice name="because" label="Mailed to the person" options={choicesOf(extensionReasons)} state={state} />
}
