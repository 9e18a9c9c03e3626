import type { Problem } from '../http/problem.ts'
import { problems } from '../http/problems.ts'
import { renderLayout } from './layout.tsx'

/** A problem as a page: the faults field by field, and the request id for questions to us. */
export function renderProblemPage(problem: Problem, context: { supportMail: string; requestId: string }): string {
  const { title, meaning, status } = problems[problem.code]
  const { detail, errors = [] } = problem.options
  return renderLayout({
    title,
    supportMail: context.supportMail,
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
        <p className="quiet">
          {status >= 500 ? 'When you ask us about it, give this number: ' : 'Number of this answer: '}
          {context.requestId}
        </p>
      </>
    ),
  })
}
