/** No line ends after the "E-" of "E-Mail", nor before the ending of an abbreviation: other hyphens are places where a long word may be broken. */
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { languages } from '../../messages/languages.ts'
import { allMessages, createTexts, type Messages, textsOf } from '../../messages/texts.ts'

test('a button of German pages keeps "E-Mail" on one line, and the parts of longer words may be apart', () => {
  const { t, rich } = textsOf('de')
  expect(t('purchase.again')).toBe('E\u2011Mail noch einmal schicken')
  expect(t('account.signIn.address')).toBe('Ihre E\u2011Mail-Adresse')
  const link = (content: unknown): string => `[${String(content)}]`
  expect(renderToStaticMarkup(rich('account.esims.bounced', { address: 'a-b@c-d.example', link }))).toContain(
    'E\u2011Mails an a-b@c-d.example kommen',
  )
})

test('an abbreviation of Albanian pages and its ending are on one line', () => {
  const { t } = textsOf('sq')
  expect(t('order.seeEsim')).toBe('Shihni eSIM\u2011in tuaj')
  expect(t('account.start.docs')).toBe('Dokumentacioni i API\u2011së')
  expect(t('purchase.esims')).toBe('Numri i eSIM\u2011eve')
})

test.each(languages)('whatever a message in %s says, what it is given stays as it is', (language) => {
  const said = 'e-mail {address}, E-Mail-Adresse x-y 4-a eSIM-A'
  const messages: Messages = {
    ...allMessages[language],
    account: { ...allMessages[language].account, 'esims.bounced': said },
  }
  const text = renderToStaticMarkup(
    createTexts(language, messages).rich('account.esims.bounced', { address: 'i-d', link: String }),
  )
  expect(text).toBe('e\u2011mail i-d, E\u2011Mail-Adresse x\u2011y 4-a eSIM-A')
})
