import { eventTypes } from '../../../policy/events/event-types.ts'
import { propertyOf } from '../../../shared/keys-of.ts'
import type { OpenApiDocument } from '../../http/openapi.ts'
import { WideTable } from '../form.tsx'
import { Markdown } from '../markdown.tsx'
import { CodeText } from './code-text.tsx'
import { renderDocsPage } from './frame.tsx'
import { ParameterTable, SchemaTable, schemaOf } from './schema-table.tsx'

interface EventsPage {
  /** docs/events.md, whose links to other files lead to their pages here */
  text: string
  /** docs/examples/app-backend.ts, to which the text links */
  example: string
  document: OpenApiDocument
}

/** The events for the app backend: the text of docs/events.md, and the form and the types that are in force here. */
export function renderEvents({ text, example, document }: EventsPage): string {
  const [written = ''] = text.split('\n## Types\n')
  const [heading = '', ...rest] = written
    .replaceAll('](examples/app-backend.ts)', '](#app-backend)')
    .replaceAll('](quickstart.md)', '](/docs/quickstart)')
    .split('\n')
  return renderDocsPage(
    heading.replace(/^# /, ''),
    <>
      <Markdown text={rest.join('\n')} />
      {Object.entries(document.webhooks ?? {}).map(([name, { post }]) => (
        <section key={name} id={`webhook-${name}`}>
          <h2>What is sent</h2>
          <p>{post?.summary}.</p>
          <h3>Headers</h3>
          <ParameterTable label="Headers" parameters={post?.parameters ?? []} />
          <h3>Body</h3>
          <SchemaTable label="Body" schema={schemaOf(post?.requestBody)} document={document} />
          {Object.entries(post?.responses ?? {}).map(([status, response]) => (
            <p key={status}>
              Answer <code>{status}</code>: {String(propertyOf(response, 'description'))}
            </p>
          ))}
        </section>
      ))}
      {/* The fields above lead here for their meanings, as on the reference. */}
      <section id="value-EventType">
        <h2>Types</h2>
        <WideTable label="Types" heads={['Type', 'Meaning', 'Ids in data']}>
          {Object.entries(eventTypes).map(([type, { meaning, ids }]) => (
            <tr key={type}>
              <td>
                <code>{type}</code>
              </td>
              <td>
                <CodeText text={meaning} />
              </td>
              <td>
                <CodeText text={ids.map((id) => `\`${id}\``).join(', ')} />
              </td>
            </tr>
          ))}
        </WideTable>
      </section>
      <section id="app-backend">
        <h2>An app backend</h2>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard cannot scroll the program */}
        <pre tabIndex={0}>
          <code>{example}</code>
        </pre>
      </section>
    </>,
    '/docs/events',
  )
}
