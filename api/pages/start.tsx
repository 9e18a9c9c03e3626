/** The page at `/`: it leads a person to their rights who knows only our address. */
import { renderLayout } from './layout.tsx'

export function renderStart(supportMail: string): string {
  return renderLayout({
    title: 'Travel eSIMs, bought in our app',
    supportMail,
    children: (
      <ul>
        <li>
          <a href="/account">Your account</a>: see your data, correct it, take it along, switch offers on and off
        </li>
        <li>
          <a href="/delete-account">Delete your account</a>
        </li>
        <li>
          <a href="/privacy">Privacy policy</a>: in force, coming, and earlier
        </li>
        <li>
          <a href="/docs">API documentation</a>
        </li>
      </ul>
    ),
  })
}
