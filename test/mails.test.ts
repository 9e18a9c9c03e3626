import { readdir, readFile } from 'node:fs/promises'
import { inflateSync } from 'node:zlib'
import { type MessageFormatElement, parse, TYPE } from '@formatjs/icu-messageformat-parser'
import { printAST } from '@formatjs/icu-messageformat-parser/printer.js'
import { create } from 'qrcode'
import { expect, test } from 'vitest'
import { renderAccountDeleted } from '../mails/account-deleted.tsx'
import { renderAppleUnlinked } from '../mails/apple-unlinked.tsx'
import { renderBreachDue, renderBreachNotice } from '../mails/breach/breach.tsx'
import { renderEmailChanged, renderEmailChangeNew, renderEmailChangeOld } from '../mails/email-change.tsx'
import { dataAmount, money, placeName } from '../mails/format.ts'
import { renderInactivityWarning } from '../mails/inactivity-warning.tsx'
import { appleInstallUrl, readActivationCode } from '../mails/order/activation-code.ts'
import { type EsimNotice, renderEsimStatus } from '../mails/order/esim-status.tsx'
import {
  renderOrderApology,
  renderOrderCancelled,
  renderOrderDelayed,
  renderOrderHeld,
  renderOrderPaymentNotAccepted,
  renderOrderRefunded,
  renderOrderRefundFailed,
  renderPartialRefund,
  renderTopUpConfirmed,
  renderWithdrawalAcknowledged,
} from '../mails/order/order-changes.tsx'
import { renderOrderConfirmation } from '../mails/order/order-confirmation.tsx'
import { qrPng } from '../mails/order/qr.ts'
import { renderPolicyMoved, renderPolicyWithdrawn } from '../mails/policy-change.tsx'
import { renderPolicyNotice } from '../mails/policy-notice.tsx'
import {
  renderPrivacyRequestAcknowledged,
  renderPrivacyRequestAnswered,
  renderPrivacyRequestDue,
  renderPrivacyRequestExtended,
} from '../mails/privacy-request.tsx'
import { renderPromotion } from '../mails/promotion.tsx'
import type { RenderedMail } from '../mails/render.ts'
import { renderSignInLink } from '../mails/sign-in-link.tsx'
import { colours, darkStyle } from '../mails/style.ts'
import { type Language, languages } from '../messages/languages.ts'
import { allMessages, createTexts, type Messages, type Texts, textsOf } from '../messages/texts.ts'

const site = { publicUrl: 'https://ama-esim.example', supportMail: 'help@ama-esim.example' }
const hostile = '<script>alert("x")</script>&amp;'
const activationCode = 'LPA:1$rsp.example.com$QX4T-9KD2-77AB'
const at = new Date('2026-12-05T10:30:00Z')
const order = { id: 'O-1', destination: 'JP', dataBytes: 5e9, daily: false, days: 30, quantity: 1 }
const total = { minor: 1290, currency: 'EUR' }
const url = `${site.publicUrl}/somewhere`
const named = (texts: Texts) => ({ site, texts, firstName: hostile, order })
const status = (texts: Texts, notice: EsimNotice) => renderEsimStatus({ ...ofEsim, texts, notice, takesTopUps: true })
const ofEsim = {
  site,
  order,
  usedBytes: 4e9,
  totalBytes: 5e9,
  expiresAt: at,
  esimUrl: url,
  topUpUrl: `${site.publicUrl}/account`,
}

/** Mails to persons, each in the given language. */
const mails: Record<string, (texts: Texts) => RenderedMail> = {
  confirmation: (texts) =>
    renderOrderConfirmation({
      ...named(texts),
      total,
      invoiceNumber: 'R-17',
      esims: [{ activationCode }],
      installUrl: url,
      consent: { text: hostile, at },
    }),
  partialRefund: (texts) =>
    renderPartialRefund({ ...named(texts), amount: total, esimsReturned: false, creditNoteNumber: 'G-4' }),
  withdrawal: (texts) =>
    renderWithdrawalAcknowledged({
      site,
      texts,
      order,
      orderId: 'O-1',
      name: hostile,
      confirmationBy: 'a@b.example',
      statement: 'I hereby withdraw.',
      statedAt: at,
      refundBy: at,
      amount: total,
    }),
  held: (texts) => renderOrderHeld({ ...named(texts), decideBy: at }),
  delayed: (texts) => renderOrderDelayed({ ...named(texts), isTopUp: false, deliverBy: at }),
  topUpDelayed: (texts) => renderOrderDelayed({ ...named(texts), isTopUp: true, deliverBy: at }),
  refunded: (texts) =>
    renderOrderRefunded({
      ...named(texts),
      isTopUp: false,
      amount: total,
      cause: 'out_of_stock',
      creditNoteNumber: 'G-3',
    }),
  topUpRefunded: (texts) =>
    renderOrderRefunded({ ...named(texts), isTopUp: true, amount: total, cause: 'not_delivered_in_time' }),
  ...Object.fromEntries(
    (['refunded_elsewhere', 'fraud_warning', 'withdrawn', 'ended_by_provider', 'returned_by_operator'] as const).map(
      (cause) => [
        `topUpRefunded:${cause}`,
        (texts: Texts) => renderOrderRefunded({ ...named(texts), isTopUp: true, amount: total, cause }),
      ],
    ),
  ),
  apology: (texts) => renderOrderApology(named(texts)),
  refundFailed: (texts) => renderOrderRefundFailed({ ...named(texts), amount: total }),
  cancelled: (texts) => renderOrderCancelled(named(texts)),
  topUp: (texts) =>
    renderTopUpConfirmed({ ...named(texts), total, invoiceNumber: 'R-18', expiresAt: at, orderUrl: url }),
  inUse: (texts) => status(texts, 'in_use'),
  lowData: (texts) => status(texts, 'low_data'),
  usedUp: (texts) => status(texts, 'used_up'),
  lowDataNoMore: (texts) => renderEsimStatus({ ...ofEsim, texts, notice: 'low_data', takesTopUps: false }),
  usedUpNoMore: (texts) => renderEsimStatus({ ...ofEsim, texts, notice: 'used_up', takesTopUps: false }),
  lastDay: (texts) => status(texts, 'last_day'),
  expired: (texts) => status(texts, 'expired'),
  endedEarly: (texts) => status(texts, 'ended_early'),
  notAccepted: (texts) => renderOrderPaymentNotAccepted(named(texts)),
  partialReturned: (texts) => renderPartialRefund({ ...named(texts), amount: total, esimsReturned: true }),
  appleUnlinked: (texts) => renderAppleUnlinked({ site, texts }),
  policyMoved: (texts) => renderPolicyMoved({ site, texts, version: '4', effectiveOn: at, url }),
  policyWithdrawn: (texts) => renderPolicyWithdrawn({ site, texts, version: '4' }),
  extended: (texts) =>
    renderPrivacyRequestExtended({ site, texts, reference: 'PR-1', because: 'complexity', answerBy: at }),
  signIn: (texts) => renderSignInLink({ site, texts, url, validMinutes: 15 }),
  emailChangeOld: (texts) => renderEmailChangeOld({ site, texts, url, validHours: 24 }),
  emailChangeNew: (texts) => renderEmailChangeNew({ site, texts, url, validHours: 24 }),
  emailChanged: (texts) => renderEmailChanged({ site, texts }),
  breach: (texts) =>
    renderBreachNotice({
      ...named(texts),
      held: ['account', 'orders'],
      firstAt: at,
      lastAt: at,
      nature: hostile,
      consequences: 'Unwanted mails.',
      measures: 'The key was revoked.',
      contact: 'dpo@ama-esim.example',
    }),
  inactivity: (texts) => renderInactivityWarning({ ...named(texts), daysLeft: 7, deletionDate: at, keepUrl: url }),
  deleted: (texts) =>
    renderAccountDeleted({
      site,
      texts,
      cause: 'requested',
      deletedOn: at,
      receiptId: hostile,
      receiptUrl: url,
      backupsGoneBy: at,
      removeAppleByHand: true,
    }),
  policy: (texts) =>
    renderPolicyNotice({ site, texts, version: '4', effectiveOn: at, changes: [hostile, 'Another.'], url }),
  acknowledged: (texts) =>
    renderPrivacyRequestAcknowledged({ site, texts, reference: hostile, receivedOn: at, answerBy: at }),
  answered: (texts) =>
    renderPrivacyRequestAnswered({ site, texts, reference: 'PR-1', answer: `Dear you,\n\n${hostile}\n\nBye` }),
  promotion: (texts) =>
    renderPromotion({ site, texts, subject: 'Ten percent off', paragraphs: [hostile], action: { label: 'Look', url } })(
      `${site.publicUrl}/u/opaque_Token-1`,
    ),
}

/** In English alone. */
const toOperators: typeof mails = {
  breachDue: () => renderBreachDue({ site, breachId: hostile, urgency: 'late', dueAt: at, consoleUrl: url }),
  requestDue: () =>
    renderPrivacyRequestDue({ site, reference: 'PR-1', kind: hostile, urgency: 'late', answerBy: at, consoleUrl: url }),
}

const inEnglish = textsOf('en')

test.each(Object.entries({ ...mails, ...toOperators }))(
  'the mail %s is escaped, self-contained and small, with an equal text part',
  (_name, render) => {
    const { subject, html, text } = render(inEnglish)
    expect(subject.length).toBeGreaterThan(5)
    expect(subject).not.toContain('script')
    expect(html).not.toMatch(/<script|undefined|\[object|NaN|Invalid Date/)
    expect(text).not.toMatch(/undefined|\[object|NaN|Invalid Date/)
    // A mail program fetches nothing: no remote images, fonts, style sheets or preloads.
    expect(html).not.toMatch(/src="(?!cid:)|<link|@import|url\(/)
    for (const image of html.match(/<img[^>]*>/g) ?? []) expect(image).toMatch(/ alt="[^"]{10,}"/)
    // Gmail cuts mails that are longer than 102 kB.
    expect(Buffer.byteLength(html)).toBeLessThan(30_000)
    expect(html).toContain('lang="en"')
    expect(text).toContain('3AM GROUP L.L.C.')
    expect(text).toContain(site.supportMail)
  },
)

test('whoever is asked for a change of address that is not theirs is led to where all sign-ins end', () => {
  for (const language of languages) {
    const { text } = renderEmailChangeOld({ site, texts: textsOf(language), url, validHours: 24 })
    expect([language, text.includes(`${site.publicUrl}/account/data`)]).toEqual([language, true])
  }
})

test('every mail has an example in mails.test.ts', async () => {
  const folder = new URL('../mails/', import.meta.url)
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.tsx'))
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, folder), 'utf8')))
  const rendered = texts.flatMap((text) => [...text.matchAll(/export (?:async )?function (render\w+)/g)])
  const here = await readFile(new URL(import.meta.url), 'utf8')
  expect(rendered.length).toBeGreaterThan(20)
  const missing = rendered.flatMap(([, name = '']) => (here.split(name).length > 2 ? [] : [name]))
  expect(missing, 'add it to `mails`').toEqual([])
})

test.each(languages)('every mail is written wholly in %s, subject and text part included', (language) => {
  const pseudo = createTexts(language, hidden(allMessages[language]))
  for (const [name, render] of Object.entries(mails)) {
    const { subject, html, text } = render(textsOf(language))
    expect(html, name).toContain(`lang="${language}"`)
    expect(text.replace(/\s+/g, ' '), name).toContain(textsOf(language).t('common.imprint'))
    // With every message hidden, nothing is left but what the test has given, names and numbers.
    const left = render(pseudo)
    expect([name, ...wordsIn(`${left.subject} ${left.text} ${attributesOf(left.html)}`)]).toEqual([name])
    expect(subject, name).not.toMatch(/[{}<]/)
    expect(html, name).not.toMatch(/undefined|\{\w/)
  }
})

test('German and Albanian mails show money, dates, countries and numbers as their readers write them', () => {
  const topUp = (language: Language) => mails.topUp?.(textsOf(language)) ?? { subject: '', text: '' }
  expect(topUp('de').subject).toBe('Ihre eSIM hat mehr Datenvolumen: Japan')
  expect(topUp('sq').subject).toBe('eSIM\u2011i juaj ka më shumë të dhëna: Japoni')
  const facts = {
    de: ['12,90\u00a0€', '5. Dezember 2026 um 10:30 UTC', '4,7\u00a0GB', '30\u00a0Tage'] as const,
    sq: ['12,90\u00a0€', '5 dhjetor 2026 në 10:30 UTC', 'Japoni', '30\u00a0ditë'] as const,
  }
  for (const language of ['de', 'sq'] as const)
    for (const fact of facts[language]) expect(topUp(language).text).toContain(fact)
})

/** Each letter of a message becomes a sign that no text has. */
function hidden(messages: Messages): Messages {
  const copy = structuredClone(messages)
  const areas: Record<string, string>[] = Object.values(copy)
  for (const texts of areas) for (const [name, text] of Object.entries(texts)) texts[name] = hideLetters(text)
  return copy
}

function hideLetters(text: string): string {
  const hide = (elements: MessageFormatElement[]): MessageFormatElement[] =>
    elements.map((element) => {
      if (element.type === TYPE.literal) return { ...element, value: element.value.replaceAll(/\p{L}/gu, '·') }
      if (element.type === TYPE.tag) return { ...element, children: hide(element.children) }
      if (element.type !== TYPE.plural && element.type !== TYPE.select) return element
      const options = Object.entries(element.options).map(([name, option]) => [
        name,
        { ...option, value: hide(option.value) },
      ])
      return { ...element, options: Object.fromEntries(options) }
    })
  return printAST(hide(parse(text)))
}

/** Names that no language translates. */
const names =
  /AMA|eSIM|https?:\S+|[\w.-]+@[\w.-]+|<script>.*?&amp;|LPA\S*|rsp\.example\.com|QX4T-9KD2-77AB|\bGB\b|UTC|JP|APN|[RG]-\d+|PR-\d|O-1|I hereby withdraw\.|Unwanted mails\.|The key was revoked\.|Another\.|Ten percent off|Look\b|Dear you,|Bye/gi
const wordsIn = (text: string): string[] =>
  text
    .replaceAll(names, ' ')
    .match(/\p{L}{2,}/gu)
    ?.filter((word) => !known.has(word.toLowerCase())) ?? []
const known = new Set(
  languages.flatMap(
    (language) =>
      [textsOf(language).moment(at), textsOf(language).place('JP')]
        .join(' ')
        .toLowerCase()
        .match(/\p{L}+/gu) ?? [],
  ),
)
const attributesOf = (html: string): string =>
  [...html.matchAll(/ (?:alt|title|aria-label)="([^"]*)"/g)].map(([, value]) => value).join(' ')

test('the order confirmation has the eSIM in every form', () => {
  const esims = [
    { activationCode, confirmationCode: '4711', apn: 'internet' },
    { activationCode: 'LPA:1$other.example.com$ABC-1' },
  ]
  const props = {
    ...named(inEnglish),
    order: { ...order, quantity: 2 },
    total,
    invoiceNumber: 'R-17',
    esims,
    installUrl: url,
  }
  const { subject, html, text, attachments } = renderOrderConfirmation(props)
  expect(subject).toBe('Your eSIMs for Japan are ready')
  expect(attachments?.map(({ cid, contentType }) => [cid, contentType])).toEqual([
    ['esim-1', 'image/png'],
    ['esim-2', 'image/png'],
  ])
  for (const { cid } of attachments ?? []) expect(html).toContain(`src="cid:${cid}"`)
  const wanted = [
    'rsp.example.com',
    'QX4T-9KD2-77AB',
    '4711',
    'internet',
    'other.example.com',
    'ABC-1',
    'R-17',
    '€12.90',
  ]
  for (const part of [...wanted, '4.7\u00a0GB', '30\u00a0days', 'Japan', url, appleInstallUrl(activationCode)]) {
    expect(text).toContain(part)
  }
  expect(text).toContain('eSIMs: 2')
  expect(text).not.toContain('a day')
  const sold = { ...props, order: { ...order, daily: true } }
  expect(renderOrderConfirmation(sold).text).toContain('4.7\u00a0GB a day')
})

test('an invalid activation code is refused, and the error does not quote it', () => {
  for (const code of [
    'LPA:1$secret host$x',
    '1$rsp.example.com$SECRET',
    'LPA:1$$SECRET',
    'LPA:1$h.example$a"onload=',
  ]) {
    expect(() => readActivationCode(code)).toThrow(/^not an activation code$/)
  }
  expect(readActivationCode('LPA:1$rsp.example.com$ABC$1.3.6.1$1')).toEqual({
    host: 'rsp.example.com',
    matchingId: 'ABC',
  })
})

test('the QR image has the code in black on white', () => {
  const png = qrPng(activationCode)
  const width = png.readUInt32BE(16)
  const { modules } = create(activationCode, { errorCorrectionLevel: 'M' })
  const pixelsPerModule = width / (modules.size + 8)
  expect(pixelsPerModule).toBe(12)
  const length = png.readUInt32BE(33)
  const rows = inflateSync(png.subarray(41, 41 + length))
  const black = (x: number, y: number) => {
    const byte = rows[y * (1 + Math.ceil(width / 8)) + 1 + (x >> 3)] ?? 0
    return (byte & (0x80 >> (x & 7))) === 0
  }
  for (let row = -4; row < modules.size + 4; row += 1) {
    for (let column = -4; column < modules.size + 4; column += 1) {
      const inside = row >= 0 && column >= 0 && row < modules.size && column < modules.size
      const middle = (index: number) => (index + 4) * pixelsPerModule + pixelsPerModule / 2
      expect(black(middle(column), middle(row))).toBe(inside && modules.get(row, column) === 1)
    }
  }
})

test('a mail about an order leads to it, or asks to write to us', () => {
  const about = ['held', 'delayed', 'topUpDelayed', 'refunded', 'topUpRefunded', 'apology', 'cancelled', 'withdrawal']
  for (const name of [...about, 'partialRefund', 'partialReturned'])
    expect(mails[name]?.(inEnglish).html, name).toContain(`href="${site.publicUrl}/account/orders/O-1"`)
  for (const name of ['refundFailed', 'notAccepted']) {
    const { html, text } = mails[name]?.(inEnglish) ?? { html: '', text: '' }
    expect([name, html.includes('/account/orders/'), /write to help@/.test(text)]).toEqual([name, false, true])
  }
})

test('the text part has headings as they are written', () => {
  const { subject, text } = mails.held?.(textsOf('de')) ?? { subject: 'none', text: '' }
  expect(text).toContain(subject)
  expect(mails.confirmation?.(inEnglish).text).toContain('Your eSIM for Japan is ready')
})

test('only promotions have an unsubscribe link, a different one for each recipient', () => {
  for (const [name, render] of Object.entries(mails))
    expect(/nsubscribe/.test(render(inEnglish).html)).toBe(name === 'promotion')
  const forRecipient = renderPromotion({ site, texts: inEnglish, subject: 'Offer', paragraphs: ['Cheaper.'] })
  const one = forRecipient(`${site.publicUrl}/u/one`)
  expect(one.html).toContain('href="https://ama-esim.example/u/one"')
  expect(one.text).toContain('https://ama-esim.example/u/one')
  expect(forRecipient(`${site.publicUrl}/u/two`).html).not.toContain('/u/one')
  expect(() => forRecipient('https://x.example/"onclick="')).toThrow('not a plain unsubscribe URL')
  expect(() => forRecipient('javascript:alert(1)')).toThrow('not a plain unsubscribe URL')
})

test('amounts, data and places are formatted for people', () => {
  expect(money({ minor: 1290, currency: 'EUR' })).toBe('€12.90')
  expect(money({ minor: 1290, currency: 'JPY' })).toBe('JP¥1,290')
  expect(money({ minor: 149_049, currency: 'HUF' })).toBe('HUF\u00a01,490.49')
  const amounts = [5 * 1024 ** 3, 1.5 * 1024 ** 3, 500 * 1024 ** 2, 1, 0, null]
  const texts = ['5 GB', '1.5 GB', '500 MB', 'less than 1 MB', '0 MB', 'unlimited']
  expect(amounts.map(dataAmount)).toEqual(texts)
  expect(['JP', 'XK', 'Europe'].map(placeName)).toEqual(['Japan', 'Kosovo', 'Europe'])
})

test('text in mails has enough contrast to its background, in both themes', () => {
  const pairs: [string, string][] = [
    [colours.ink, colours.card],
    [colours.ink, colours.page],
    [colours.ink, colours.quiet],
    [colours.muted, colours.page],
    [colours.muted, colours.card],
    [colours.muted, colours.quiet],
    [colours.accent, colours.card],
    [colours.accent, colours.page],
    [colours.onAccent, colours.accent],
  ]
  const dark = (selector: string, property: string) =>
    new RegExp(`${selector}[^{]*\\{[^}]*?\\b${property}: (#[0-9a-f]{6})`).exec(darkStyle)?.[1] ?? 'missing'
  const backgrounds = ['.page', '.card', '.quiet'].map((selector) => dark(selector, 'background-color'))
  const texts = ['.ink', '.muted', '.link'].map((selector) => dark(selector, '(?<!-)color'))
  for (const background of backgrounds) for (const text of texts) pairs.push([text, background])
  pairs.push([dark('.button', '(?<!-)color'), dark('.button', 'background-color')])
  for (const [text, background] of pairs)
    expect({ text, background, contrast: contrast(text, background) >= 4.5 }).toMatchObject({
      contrast: true,
    })
})

/** WCAG 2.2, contrast ratio */
function contrast(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (lighter + 0.05) / (darker + 0.05)
}

test('no mail about a refunded top-up says that an eSIM is not installed: the data was for one that is', () => {
  const causes = ['refunded_elsewhere', 'fraud_warning', 'withdrawn', 'ended_by_provider', 'returned_unused'] as const
  const install = { en: 'install', de: 'installier', sq: 'instaloh' }
  for (const language of languages)
    for (const cause of causes) {
      const mail = { ...named(textsOf(language)), amount: total, cause }
      expect(renderOrderRefunded({ ...mail, isTopUp: true }).text).not.toContain(install[language])
      expect(renderOrderRefunded({ ...mail, isTopUp: false }).text).toContain(install[language])
    }
})
