/** The meaning of a problem for a person who sees it on a page. */
import { trouble } from '../../../messages/en/problem-pages.ts'
import type { Texts } from '../../../messages/texts.ts'
import type { Problem } from '../../http/problem.ts'
import type { ProblemCode } from '../../http/problems.ts'

type CodesUnder<Prefix extends 'text' | 'title'> = {
  [Key in keyof typeof trouble]: Key extends `${Prefix}.${infer Code extends ProblemCode}` ? Code : never
}[keyof typeof trouble]

const isExplained = (code: ProblemCode): code is CodesUnder<'text'> => Object.hasOwn(trouble, `text.${code}`)
const isTitled = (code: ProblemCode): code is CodesUnder<'title'> => Object.hasOwn(trouble, `title.${code}`)

/** The title of a problem for a person: that of the API speaks to developers, of credentials and bodies. */
export const titleOf = (t: Texts['t'], code: ProblemCode): string =>
  isTitled(code) ? t(`trouble.title.${code}`) : t(`problem.${code}`)

/** @returns undefined for a problem that only operators and programs meet: its title says all */
export function explanation(t: Texts['t'], { code, options }: Problem): string | undefined {
  const wait = code === 'too_many_requests' ? waitWords(t, options.headers?.['Retry-After']) : undefined
  return wait ?? (isExplained(code) ? t(`trouble.text.${code}`) : undefined)
}

const minutesInHours = 120

function waitWords(t: Texts['t'], seconds: string | undefined): string | undefined {
  const minutes = Math.ceil(Number(seconds) / 60)
  if (!(minutes > 0)) return undefined
  return minutes < minutesInHours
    ? t('trouble.waitMinutes', { minutes })
    : t('trouble.waitHours', { hours: Math.ceil(minutes / 60) })
}
