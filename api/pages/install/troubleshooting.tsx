/** What a traveller can try when the eSIM does not work, the likeliest cause first. */
import type { ReactNode } from 'react'
import type { Device } from './install-steps.tsx'

const restart: Record<Device, string> = {
  ios: 'Switch airplane mode on for ten seconds and off again in the Control Centre.',
  android: 'Switch airplane mode on for ten seconds and off again in the quick settings.',
  other: 'Switch airplane mode on for ten seconds and off again, or restart the phone.',
}

export function Troubleshooting({ supportMail, device }: { supportMail: string; device: Device }) {
  const questions: [string, ReactNode][] = [
    [
      'The phone does not accept the code',
      <ul key="code">
        <li>It can be installed once. If it is on a phone already, it appears there under the SIMs.</li>
        <li>The phone must be free of a network lock and know eSIM: dial *#06#, an EID must be shown.</li>
        <li>Use Wi-Fi. Mobile data of the SIM that is being replaced can break the download.</li>
        <li>Try the codes by hand rather than the camera.</li>
      </ul>,
    ],
    [
      'It is installed, and there is no network',
      <ul key="network">
        <li>It connects at the destination only. At home “No service” is right.</li>
        <li>{restart[device]}</li>
        <li>Choose the network by hand: switch Network Selection from Automatic, wait for the list, and try each.</li>
      </ul>,
    ],
    [
      'There is a network, and no page loads',
      <ul key="data">
        <li>Data roaming of this eSIM has to be on, and mobile data has to use this eSIM.</li>
        <li>Enter the access point name (APN) from above, if one is named there.</li>
        <li>Look above whether all data is used or the days are over.</li>
      </ul>,
    ],
  ]
  return (
    <section>
      <h2>If it does not work</h2>
      {questions.map(([question, answer]) => (
        <details key={question}>
          <summary>{question}</summary>
          {answer}
        </details>
      ))}
      <p>
        None of it helped? Write to <a href={`mailto:${supportMail}`}>{supportMail}</a> with the ICCID and what the
        phone shows. An eSIM that was never used can be returned for a full refund.
      </p>
    </section>
  )
}
