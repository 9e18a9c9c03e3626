import { problemCodesOf } from '../../http/openapi.ts'
import { type ProblemCode, problems } from '../../http/problems.ts'
import type { Route } from '../../http/route.ts'
import { causes } from './causes.ts'
import { CodeText } from './code-text.tsx'
import { renderDocsPage } from './frame.tsx'
import { remedies } from './remedies.ts'

const unanswered = (code: ProblemCode): string =>
  code === 'method_not_allowed'
    ? 'Each address, to a method that it does not take.'
    : 'No operation: our own runs meet it.'

/** The page of one problem type, at its type URI: its cause, its remedy, and who answers it. */
export function renderProblemType(code: ProblemCode, routes: readonly Route[]): string {
  const { status, title } = problems[code]
  const answering = routes.filter((route) => problemCodesOf(route).includes(code))
  return renderDocsPage(
    title,
    <>
      <p>
        HTTP {status}, <code>{code}</code>
      </p>
      <h2>Cause</h2>
      <p>
        <CodeText text={causes[code]} />
      </p>
      <h2>Remedy</h2>
      <p>
        <CodeText text={remedies[code]} />
      </p>
      <h2>Answered by</h2>
      {answering.length === 0 ? <p>{unanswered(code)}</p> : null}
      <ul>
        {answering.map(({ method, path }) => (
          <li key={`${method} ${path}`}>
            <code>
              {method.toUpperCase()} {path}
            </code>
          </li>
        ))}
      </ul>
      <p>
        <a href="/docs#problems">All problems</a>
      </p>
    </>,
  )
}
