/** The further fields of the acts on a privacy request. */
import { answerKinds, extensionReasons } from '../../../workflows/privacy-request.contract.ts'
import { Choice, type FormState, TextField } from '../form.tsx'
import { choicesOf } from './parts.tsx'

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
