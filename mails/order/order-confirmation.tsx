/**
 * U3, confirmations and activation codes are sent once: the mail that delivers an eSIM, in every form that phones
 * accept, with the invoice's number.
 */
import { Img } from '@react-email/img'
import { Section } from '@react-email/section'
import type { Texts } from '../../messages/texts.ts'
import type { Money } from '../../policy/currency.ts'
import { Action, Anchor, Code, Facts, Note, Paragraph, Steps, Subtitle, Title } from '../elements.tsx'
import { Layout, type Site } from '../layout.tsx'
import { type RenderedMail, renderMail } from '../render.ts'
import { appleInstallUrl, readActivationCode } from './activation-code.ts'
import { consentFacts, greet, type OrderSummary, orderFacts } from './order.tsx'
import { qrPng } from './qr.ts'

export interface DeliveredEsim {
  /** `LPA:1$...`; the first phone that uses it gets the eSIM */
  activationCode: string
  /** if the network requires one */
  confirmationCode?: string
  apn?: string
}

export interface OrderConfirmationProps {
  site: Site
  texts: Texts
  firstName?: string
  order: OrderSummary
  total: Money
  invoiceNumber: string
  esims: DeliveredEsim[]
  /** Directive 2011/83/EU, Article 8(7): what the customer agreed to when ordering, confirmed on a durable medium */
  consent?: { text: string; at: Date }
  /** the install page; its URL contains a secret */
  installUrl: string
}

/** Attaches the QR codes as inline images `esim-1`, `esim-2`, ... @throws on an invalid activation code */
export function renderOrderConfirmation(props: OrderConfirmationProps): RenderedMail {
  const { texts, esims, order } = props
  const subject = texts.t('order.ready.subject', { count: esims.length, place: texts.place(order.destination) })
  const attachments = esims.map(({ activationCode }, index) => ({
    filename: `esim-${index + 1}.png`,
    contentType: 'image/png',
    content: qrPng(activationCode),
    cid: cidOf(index),
  }))
  return { ...renderMail(subject, <OrderConfirmation {...props} subject={subject} />), attachments }
}

const cidOf = (index: number): string => `esim-${index + 1}`

function OrderConfirmation(props: OrderConfirmationProps & { subject: string }) {
  const { site, texts, order, esims, subject } = props
  const { t } = texts
  return (
    <Layout site={site} texts={texts} preview={t('order.ready.preview')} reason={t('order.reason')}>
      <Title>{subject}</Title>
      <Paragraph>{greet(texts, props.firstName, t('order.ready.thanks', { count: esims.length }))}</Paragraph>
      <Action href={props.installUrl}>{t('order.ready.open')}</Action>
      {esims.map((esim, index) => (
        <Esim key={cidOf(index)} texts={texts} esim={esim} index={index} of={esims.length} />
      ))}
      <Subtitle>{t('order.ready.byHand')}</Subtitle>
      <Steps>
        <li>{t('order.ready.step1')}</li>
        <li>{t('order.ready.step2')}</li>
        <li>{t('order.ready.step3')}</li>
      </Steps>
      <Note>{t('order.ready.keep')}</Note>
      <Subtitle>{t('order.ready.order')}</Subtitle>
      <Facts
        of={[
          ...orderFacts(texts, order),
          [t('order.fact.total'), texts.money(props.total)],
          [t('order.fact.invoice'), props.invoiceNumber],
          ...consentFacts(texts, props.consent),
        ]}
      />
    </Layout>
  )
}

function Esim({ texts, esim, index, of }: { texts: Texts; esim: DeliveredEsim; index: number; of: number }) {
  const { t } = texts
  const { host, matchingId } = readActivationCode(esim.activationCode)
  const name = of === 1 ? t('common.yourEsim') : t('common.esimOf', { number: index + 1, count: of })
  return (
    <>
      <Subtitle>{name}</Subtitle>
      <Section style={{ backgroundColor: '#ffffff', borderRadius: '8px', margin: '0 0 12px', width: '224px' }}>
        <Img
          src={`cid:${cidOf(index)}`}
          width="224"
          height="224"
          // Without it React adds a preload link, which has no effect in a mail.
          fetchPriority="low"
          alt={t('common.qrAlt', { name })}
        />
      </Section>
      <Paragraph>
        {texts.rich('order.ready.iphone', {
          link: (words) => <Anchor href={appleInstallUrl(esim.activationCode)}>{words}</Anchor>,
        })}
      </Paragraph>
      <Facts
        of={[
          [t('common.smdpAddress'), <Code key="host">{host}</Code>],
          [t('common.activationCode'), <Code key="code">{matchingId}</Code>],
          ...optional(t('common.confirmationCode'), esim.confirmationCode),
          ...optional('APN', esim.apn),
        ]}
      />
    </>
  )
}

const optional = (name: string, value: string | undefined): [string, React.ReactNode][] =>
  value ? [[name, <Code key={name}>{value}</Code>]] : []
