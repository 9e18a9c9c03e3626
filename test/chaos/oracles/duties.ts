/**
 * Privacy requests are answered within 30 days (G6); a changed policy is posted (N1), and mailed 30 days ahead (N2).
 */
import { periods } from '../../../policy/periods.ts'
import { distinct, mailsOf } from './messages.ts'
import type { Oracle } from './record.ts'

const noticeMs = periods.policyNotice.beforeEffectDays * 86_400_000

/** G6: a request is acknowledged once, answered once, and operators are reminded of it before its day. */
export const requestsAreAnswered: Oracle = ({ mails }, { privacyRequests }) =>
  privacyRequests.flatMap(({ replyTo, reference, isAnswered, isDue }) => {
    const got = distinct(mails.filter(({ to }) => to.includes(replyTo)))
    const of = (subject: RegExp): number => got.filter((mail) => subject.test(mail.subject)).length
    const [taken, answers] = [of(/^We have your privacy request$/), of(/^Our answer to your privacy request$/)]
    const wanted = isAnswered ? 1 : 0
    const reminders = distinct(mails.filter(({ to, subject }) => !to.includes(replyTo) && subject.includes(reference)))
    return [
      ...(taken === 1 ? [] : [{ subject: reference, what: `is acknowledged by ${taken} mails` }]),
      ...(answers === wanted ? [] : [{ subject: reference, what: `is answered by ${answers} mails, not ${wanted}` }]),
      ...(got.length > taken + answers ? [{ subject: reference, what: 'has another mail' }] : []),
      ...(isDue && reminders.length < 3 ? [{ subject: reference, what: `${reminders.length} reminders` }] : []),
    ]
  })

/** N1: a policy is posted once it is acknowledged. */
export const policiesArePosted: Oracle = (_books, { policies }) =>
  policies
    .filter(({ onPage }) => !onPage)
    .map(({ version }) => ({ subject: version, what: 'is not on the public page' }))

/** N2: everybody has one notice 30 days before the version takes effect, and it takes effect only then. */
export const noticesComeInTime: Oracle = (books, { policies, people }) =>
  policies.flatMap(({ version, postedAt, effectiveAt, inForce, reached }) => [
    ...(inForce && reached < effectiveAt ? [{ subject: version, what: 'is in force before its day' }] : []),
    ...people
      .filter(({ signedUpAt, deletion, inactive }) => signedUpAt < postedAt && deletion === null && !inactive)
      .flatMap((person) => {
        // That its day has moved is another mail.
        const about = ({ subject, text }: { subject: string; text: string }) =>
          /privacy policy changes on /.test(subject) && text.replaceAll('\n', ' ').includes(version)
        const notices = distinct(mailsOf(books, person).filter(about))
        const isLate = notices.some(({ at }) => effectiveAt - at < noticeMs)
        return [
          ...(notices.length === 1 ? [] : [{ subject: person.name, what: `${notices.length} notices of ${version}` }]),
          ...(isLate ? [{ subject: person.name, what: `has less than 30 days until ${version}` }] : []),
        ]
      }),
  ])
