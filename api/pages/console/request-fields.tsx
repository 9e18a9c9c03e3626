/** The further fields of the acts on a privacy request. */
import { answerKinds, extensionReasons } from '../../../workflows/privacy-request.contract.ts'
import { Options, plain } from './parts.tsx'

export function AnswerFields({ typed }: { typed: { answerKind: string; answer: string } }) {
  return (
    <>
      <label>
        Outcome
        <select name="answerKind" defaultValue={typed.answerKind}>
          <Options of={answerKinds} words={plain} />
        </select>
      </label>
      <label>
        Mailed to the person; leave it empty if they were answered elsewhere
        <textarea name="answer" maxLength={20_000} defaultValue={typed.answer} />
      </label>
    </>
  )
}

export function ExtensionFields({ typed }: { typed: { because: string } }) {
  return (
    <label>
      Mailed to the person
      <select name="because" defaultValue={typed.because}>
        <Options of={extensionReasons} words={plain} />
      </select>
    </label>
  )
}
