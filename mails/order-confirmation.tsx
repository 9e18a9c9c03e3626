/** U3: the mail that delivers an eSIM, in every form that phones accept, with the invoice's number. */
import { Img } from '@react-email/img'
import { Section } from '@react-email/section'
import { appleInstallUrl, readActivationCode } from './activation-code.ts'
import { Action, Anchor, Code, Facts, Note, Paragraph, Steps, Subtitle, Title } from './elements.tsx'
import { type Money, money, placeName } from './format.ts'
import { Layout, type Site } from './layout.tsx'
import { consentFacts, greeting, type OrderSummary, orderFacts, orderReason } from './order.tsx'
import { qrPng } from './qr.ts'
import { type RenderedMail, renderMail } from './render.ts'

export interface DeliveredEsim {
  /** `LPA:1$...`; the first phone that uses it gets the eSIM */
  activationCode: string
  /** if the network requires one */
  confirmationCode?: string
  apn?: string
}

export interface OrderConfirmationProps {
  site: Site
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
  const { esims, order } = props
  const one = esims.length === 1
  const subject = `Your eSIM${one ? '' : 's'} for ${placeName(order.destination)} ${one ? 'is' : 'are'} ready`
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
  const { site, order, esims, subject } = props
  return (
    <Layout site={site} preview="Scan the code or tap the link to install it." reason={orderReason}>
      <Title>{subject}</Title>
      <Paragraph>
        {greeting(props.firstName)}Thank you for your order. Install {esims.length === 1 ? 'it' : 'them'} while you have
        Wi-Fi, best before you leave.
      </Paragraph>
      <Action href={props.installUrl}>Open the install page</Action>
      {esims.map((esim, index) => (
        <Esim key={cidOf(index)} esim={esim} index={index} of={esims.length} />
      ))}
      <Subtitle>On Android, or by hand</Subtitle>
      <Steps>
        <li>Open Settings, then Connections or Network, then SIMs, and add an eSIM.</li>
        <li>Scan the code above, or choose to enter the details and copy them from this mail.</li>
        <li>Switch on mobile data and data roaming for the new eSIM when you arrive.</li>
      </Steps>
      <Note>Each code works once and for one phone. Keep this mail to yourself, and the eSIM on the phone.</Note>
      <Subtitle>Your order</Subtitle>
      <Facts
        of={[
          ...orderFacts(order),
          ['Total', money(props.total)],
          ['Invoice', props.invoiceNumber],
          ...consentFacts(props.consent),
        ]}
      />
    </Layout>
  )
}

function Esim({ esim, index, of }: { esim: DeliveredEsim; index: number; of: number }) {
  const { host, matchingId } = readActivationCode(esim.activationCode)
  const name = of === 1 ? 'Your eSIM' : `eSIM ${index + 1} of ${of}`
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
          alt={`QR code of ${name}; the same details are below as text`}
        />
      </Section>
      <Paragraph>
        Are you reading this on the iPhone that will use it?{' '}
        <Anchor href={appleInstallUrl(esim.activationCode)}>Install on this iPhone</Anchor> (iOS 17.4 or later).
      </Paragraph>
      <Facts
        of={[
          ['SM-DP+ address', <Code key="host">{host}</Code>],
          ['Activation code', <Code key="code">{matchingId}</Code>],
          ...optional('Confirmation code', esim.confirmationCode),
          ...optional('APN', esim.apn),
        ]}
      />
    </>
  )
}

const optional = (name: string, value: string | undefined): [string, React.ReactNode][] =>
  value ? [[name, <Code key={name}>{value}</Code>]] : []
