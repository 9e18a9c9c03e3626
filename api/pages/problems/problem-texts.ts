/** The meaning of a problem for a person who sees it on a page. */
import { trouble } from '../../../messages/en/problem-pages.ts'
import type { Texts } from '../../../messages/texts.ts'
import type { ProblemCode } from '../../http/problems.ts'

type Explained = {
  [Key in keyof typeof trouble]: Key extends `text.${infer Code extends ProblemCode}` ? Code : never
}[keyof typeof trouble]

const isExplained = (code: ProblemCode): code is Explained => Object.hasOwn(trouble, `text.${code}`)

/** @returns undefined for a problem that only operators and programs meet: its title says all */
export const explanation = (t: Texts['t'], code: ProblemCode): string | undefined =>
  isExplained(code) ? t(`trouble.text.${code}`) : undefined
