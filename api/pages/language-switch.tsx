/** The switch of a page's language, and the language of an account. Both work without scripts. */
import { type Language, languageNames, languages } from '../../messages/languages.ts'
import type { Texts } from '../../messages/texts.ts'
import { Form } from './form.tsx'

/** @param address path and query of the page, which the switch shows again in the other language */
export function LanguageSwitch({ texts, address }: { texts: Texts; address: string }) {
  return (
    <nav aria-label={texts.t('page.switch')} className="languages">
      {languages.map((language) => (
        <a
          key={language}
          href={`/language?to=${language}&next=${encodeURIComponent(address)}`}
          lang={language}
          hrefLang={language}
          aria-current={language === texts.language ? 'true' : undefined}
        >
          {languageNames[language]}
        </a>
      ))}
    </nav>
  )
}

interface LanguageFormProps {
  texts: Texts
  /** of the account */
  language: Language
  csrf: string
}

/** The form in which a signed-in person chooses the language of their account. */
export function LanguageForm({ texts, language: current, csrf }: LanguageFormProps) {
  return (
    <Form action="/account/language" csrf={csrf}>
      <label>
        {texts.t('page.accountLanguage')}
        <select name="language" defaultValue={current}>
          {languages.map((language) => (
            <option key={language} value={language} lang={language}>
              {languageNames[language]}
            </option>
          ))}
        </select>
      </label>
      <button
        type="submit"
        className="plain"
        aria-label={`${texts.t('page.save')}: ${texts.t('page.accountLanguage')}`}
      >
        {texts.t('page.save')}
      </button>
    </Form>
  )
}
