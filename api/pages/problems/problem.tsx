/** A problem as a page: what it means, a way on, and the request id for questions to us. */
import type { Texts } from '../../../messages/texts.ts'
import type { CallerKind } from '../../http/caller.ts'
import type { Problem } from '../../http/problem.ts'
import { problems } from '../../http/problems.ts'
import { Icon } from '../brand/icons.tsx'
import { type PageContext, renderLayout } from '../layout.tsx'
import type { Destination } from '../sign-in.tsx'
import { explanation, titleOf } from './problem-texts.ts'

interface ProblemContext {
  requestId: string
  /** the route's template */
  route: string
  caller: CallerKind
}

export function renderProblemPage(
  problem: Problem,
  page: PageContext,
  { requestId, route, caller }: ProblemContext,
): string {
  const { t } = page.texts
  const { status } = problems[problem.code]
  const isConsole = route.startsWith('/console')
  const way = wayOn(t, isConsole, caller)
  return renderLayout({
    ...page,
    ...(isConsole && { head: null }),
    title: isConsole ? t(`problem.${problem.code}`) : titleOf(t, problem.code),
    children: (
      <>
        {isConsole ? <Details problem={problem} /> : <p>{explanation(t, problem)}</p>}
        {status === 401 ? (
          <p>
            <a className="button" href={isConsole ? '/console' : `/account/sign-in?next=${afterSignIn(route)}`}>
              {t('trouble.signIn')}
            </a>
          </p>
        ) : null}
        <p>
          <a className="way" href={way.href}>
            <Icon of="forward" /> {way.label}
          </a>
        </p>
        <p className="quiet">{t(status >= 500 ? 'trouble.ask' : 'trouble.number', { id: requestId })}</p>
      </>
    ),
  })
}

/** Field by field, in English: for operators. */
function Details({ problem }: { problem: Problem }) {
  const { detail, errors = [] } = problem.options
  return (
    <>
      {detail ? <p>{detail}</p> : null}
      {errors.length > 0 ? (
        <ul>
          {errors.map(({ field, reason }) => (
            <li key={field}>
              {field}: {reason}
            </li>
          ))}
        </ul>
      ) : (
        <p>{problems[problem.code].meaning}</p>
      )}
    </>
  )
}

/** The page that a sign-in leads to: the one that asked for it. */
function afterSignIn(route: string): Destination {
  if (route === '/delete-account') return 'delete-account'
  return /^\/account(?:$|\/orders|\/esims)/.test(route) ? 'account' : 'account/data'
}

/** Where a person goes from a page that has nothing to offer. */
function wayOn(t: Texts['t'], isConsole: boolean, caller: CallerKind): { href: string; label: string } {
  if (isConsole) return { href: '/console', label: 'Console' }
  if (caller === 'visitor') return { href: '/account', label: t('common.myEsims') }
  return { href: '/', label: t('trouble.start') }
}
