import { z } from 'zod'
import { promises } from '../../../policy/promises.ts'
import { keysOf } from '../../../shared/keys-of.ts'
import { type OpenApiDocument, problemCodesOf } from '../../http/openapi.ts'
import { type ProblemCode, problems } from '../../http/problems.ts'
import { neededScope, type Route } from '../../http/route.ts'
import { TableHead } from '../form.tsx'
import { CodeText } from './code-text.tsx'
import { renderDocsPage } from './frame.tsx'
import { ParameterTable, SchemaTable, schemaOf } from './schema-table.tsx'

/** The documentation page, made from the OpenAPI document and the routes. */
export function renderDocs(routes: readonly Route[], document: OpenApiDocument): string {
  const tags = [...new Set(routes.map((route) => route.tag))]
  return renderDocsPage(
    'API reference',
    <>
      <p>
        JSON over HTTPS. For machines: <a href="/openapi.json">openapi.json</a>. Send <code>Authorization: Bearer</code>{' '}
        with a service key, an operator key or a Firebase ID token. Every error is an{' '}
        <code>application/problem+json</code> with a <code>code</code> from the <a href="#problems">list below</a>.
        Fields marked * are required; fields that an operation does not name are refused.
      </p>
      <p>
        New here? The <a href="/docs/quickstart">quickstart</a> buys an eSIM in five minutes.{' '}
        <a href="/docs/order-states">States of an order</a>. <a href="/docs/events">Events</a>, which you are sent.
      </p>
      <nav aria-label="Parts of the reference">
        {tags.map((tag) => (
          <a key={tag} href={`#${tag}`}>
            {tag}
          </a>
        ))}
        <a href="#values">values</a> <a href="#problems">problems</a>
      </nav>
      {tags.map((tag) => (
        <section key={tag} id={tag}>
          <h2>{tag}</h2>
          {routes
            .filter((route) => route.tag === tag)
            .map((route) => (
              <Operation key={`${route.method} ${route.path}`} route={route} document={document} />
            ))}
        </section>
      ))}
      <section id="values">
        <h2>values</h2>
        <p>Later versions may add values: a program takes one that it does not know for “something else”.</p>
        {Object.entries(document.components?.schemas ?? {}).map(([name, schema]) => (
          <ValueTable key={name} name={name} schema={schema} />
        ))}
      </section>
      <section id="problems">
        <h2>problems</h2>
        <ProblemTable codes={keysOf(problems)} />
      </section>
    </>,
    '/docs',
  )
}

/** The values of a named enumeration, with their meanings. */
function ValueTable({ name, schema }: { name: string; schema: unknown }) {
  const described = describedValues.safeParse(schema).data
  if (!described) return null
  const { enum: values, description, 'x-enum-descriptions': meanings } = described
  return (
    <>
      <h3 id={`value-${name}`}>{name}</h3>
      <p>
        <CodeText text={description} />
      </p>
      <table>
        <TableHead of={['Value', 'Meaning']} />
        <tbody>
          {values.map((value, index) => (
            <tr key={value}>
              <td>
                <code>{value}</code>
              </td>
              <td>
                <CodeText text={meanings[index] ?? ''} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

const describedValues = z.object({
  enum: z.array(z.string()),
  description: z.string(),
  'x-enum-descriptions': z.array(z.string()),
})

function Operation({ route, document }: { route: Route; document: OpenApiDocument }) {
  const operation = document.paths?.[route.path]?.[route.method]
  return (
    <details>
      <summary>
        <span className="method">{route.method.toUpperCase()}</span> <code>{route.path}</code>{' '}
        <span className="quiet">
          <CodeText text={route.summary} />
        </span>
      </summary>
      {route.description && (
        <p>
          <CodeText text={route.description} />
        </p>
      )}
      <p>
        For: {route.callers.join(', ')}
        {route.callers.includes('service') ? ` (scope of a restricted key: ${neededScope(route) ?? 'none'})` : ''}
      </p>
      {route.promises && (
        <ul>
          {route.promises.map((id) => (
            <li key={id}>
              {id}: {promises[id].sentence}
            </li>
          ))}
        </ul>
      )}
      {operation?.parameters && operation.parameters.length > 0 && (
        <>
          <h3>Parameters</h3>
          <ParameterTable parameters={operation.parameters} />
        </>
      )}
      {route.body && (
        <>
          <h3>Body</h3>
          <SchemaTable schema={schemaOf(operation?.requestBody)} document={document} />
        </>
      )}
      {Object.entries(route.responses).map(([status, response]) => (
        <div key={status}>
          <h3>
            {status} <CodeText text={response.description} />
          </h3>
          {response.contentType && <p>{response.contentType}</p>}
          {response.schema && <SchemaTable schema={schemaOf(operation?.responses?.[status])} document={document} />}
        </div>
      ))}
      <h3>Problems</h3>
      <ProblemTable codes={problemCodesOf(route)} />
    </details>
  )
}

function ProblemTable({ codes }: { codes: readonly ProblemCode[] }) {
  return (
    <table>
      <TableHead of={['Status', 'Code', 'Meaning']} />
      <tbody>
        {codes.map((code) => (
          <tr key={code}>
            <td>{problems[code].status}</td>
            <td>
              <a href={`/problems/${code}`}>
                <code>{code}</code>
              </a>
            </td>
            <td>{problems[code].meaning}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
