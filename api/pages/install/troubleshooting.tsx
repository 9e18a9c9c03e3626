/** Remedies for a traveller whose eSIM does not work, the likeliest cause first. */
import type { PlainKey } from '../../../messages/texts.ts'
import type { PageContext } from '../layout.tsx'
import type { Device } from './install-steps.tsx'

const questionsFor = (device: Device) =>
  [
    [
      'install.help.code',
      ['install.help.code.once', 'install.help.code.lock', 'install.help.code.wifi', 'install.help.code.hand'],
    ],
    [
      'install.help.network',
      ['install.help.network.home', `install.help.network.${device}`, 'install.help.network.hand'],
    ],
    ['install.help.data', ['install.help.data.roaming', 'install.help.data.apn', 'install.help.data.used']],
  ] as const satisfies [PlainKey, PlainKey[]][]

export function Troubleshooting({ page, device }: { page: PageContext; device: Device }) {
  const { t, rich } = page.texts
  return (
    <section>
      <h2>{t('install.help.title')}</h2>
      {questionsFor(device).map(([question, answers]) => (
        <details key={question}>
          <summary>{t(question)}</summary>
          <ul>
            {answers.map((answer) => (
              <li key={answer}>{t(answer)}</li>
            ))}
          </ul>
        </details>
      ))}
      <p>
        {rich('install.help.write', {
          address: page.supportMail,
          mail: (words) => <a href={`mailto:${page.supportMail}`}>{words}</a>,
        })}
      </p>
    </section>
  )
}
