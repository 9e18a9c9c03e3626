/** The browsers in which a person is signed in, each with the button that ends it, and one that ends all sign-ins. */
import type { OwnSession } from '../../../db/web-sessions.ts'
import type { Texts } from '../../../messages/texts.ts'
import { Form } from '../form.tsx'
import { Card } from './frame.tsx'

interface SessionsProps {
  of: readonly OwnSession[]
  csrf: string
  texts: Texts
}

export function Sessions({ of, csrf, texts: { t, moment } }: SessionsProps) {
  return (
    <Card title={t('account.sessions.title')}>
      <ul className="rows">
        {of.map(({ id, signedInAt, isThis }) => {
          const name = t('account.sessions.since', { at: moment(signedInAt) })
          return (
            <li key={id} className="head">
              <span>{name}</span>
              {isThis ? (
                <span>{t('account.sessions.this')}</span>
              ) : (
                <Form action="/account/sessions/end" csrf={csrf} inline>
                  <input type="hidden" name="session" value={id} />
                  <button type="submit" className="plain" aria-label={`${t('account.sessions.end')}: ${name}`}>
                    {t('account.sessions.end')}
                  </button>
                </Form>
              )}
            </li>
          )
        })}
      </ul>
      {of.length > 1 ? (
        <Form action="/account/sessions/end" csrf={csrf}>
          <button type="submit" className="plain">
            {t('account.sessions.endAll')}
          </button>
        </Form>
      ) : null}
      <Form action="/account/sessions/end-everywhere" csrf={csrf}>
        <button type="submit" className="plain">
          {t('account.sessions.endEverywhere')}
        </button>
        <span className="hint">{t('account.sessions.endEverywhereHint')}</span>
      </Form>
    </Card>
  )
}
