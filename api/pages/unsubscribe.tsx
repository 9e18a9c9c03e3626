/** G4: unsubscribing takes one click and no sign-in. The mailed link only shows a button, since mail scanners follow links. */
import { renderLayout } from './layout.tsx'

export type UnsubscribePage = 'ask' | 'done' | 'off' | 'unknown'

const titles: Record<UnsubscribePage, string> = {
  ask: 'Get no more offers?',
  done: 'You get no more offers',
  off: 'You get no offers',
  unknown: 'This link does not work',
}

/** @param page `off`: promotions are off already */
export function renderUnsubscribe(page: UnsubscribePage, supportMail: string): string {
  return renderLayout({
    title: titles[page],
    supportMail,
    children: {
      ask: (
        <>
          <p>We send offers only to those who asked for them. One click, and we stop.</p>
          <form method="post">
            <input type="hidden" name="List-Unsubscribe" value="One-Click" />
            <button type="submit">Stop the offers</button>
          </form>
          <p className="quiet">
            You go on getting mails about what you buy. Offers can be switched on again in the account settings.
          </p>
        </>
      ),
      done: (
        <p>
          It holds from now on, for offers of every kind. You go on getting mails about what you buy. Offers can be
          switched on again in the account settings.
        </p>
      ),
      off: <p>Offers are switched off for this address, or the account is deleted. There is nothing more to do.</p>,
      unknown: <p>Perhaps it was not copied whole. Offers can be switched off in the account settings, too.</p>,
    }[page],
  })
}
