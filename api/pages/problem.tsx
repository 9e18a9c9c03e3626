/** A problem as a page: the faults field by field, a way on, and the request id for questions to us. */
import type { CallerKind } from '../http/caller.ts'
import type { Problem } from '../http/problem.ts'
import { problems } from '../http/problems.ts'
import { Icon } from './brand/icons.tsx'
import { renderLayout } from './layout.tsx'

interface ProblemContext {
  supportMail: string
  requestId: string
  /** the route's template */
  route: string
  caller: CallerKind
}

export function renderProblemPage(problem: Problem, { supportMail, requestId, route, caller }: ProblemContext): string {
  const { title, meaning, status } = problems[problem.code]
  const { detail, errors = [] } = problem.options
  const way = wayOn(route, caller)
  return renderLayout({
    title,
    supportMail,
    children: (
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
          <p>{meaning}</p>
        )}
        {status === 401 ? (
          <p>
            <a className="button" href="/account/sign-in">
              Sign in
            </a>
          </p>
        ) : null}
        <p>
          <a className="way" href={way.href}>
            <Icon of="forward" /> {way.label}
          </a>
        </p>
        <p className="quiet">
          {status >= 500 ? 'When you ask us about it, give this number: ' : 'Number of this answer: '}
          {requestId}
        </p>
      </>
    ),
  })
}

/** Where a person goes from a page that has nothing to offer. */
function wayOn(route: string, caller: CallerKind): { href: string; label: string } {
  if (route.startsWith('/console')) return { href: '/console', label: 'Console' }
  if (caller === 'visitor') return { href: '/account', label: 'My eSIMs' }
  return { href: '/', label: 'Start page' }
}
