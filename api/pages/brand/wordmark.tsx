/** The mark (a SIM card with a mountain and a sun) and the wordmark, drawn as lines. They inherit the text's colour. */
import { colours, sun } from '../../../mails/style.ts'

const card = 'M6 1h12l8 8v17a5 5 0 0 1-5 5H6a5 5 0 0 1-5-5V6a5 5 0 0 1 5-5Z'
const mountain = 'M6.5 23.5 13 13l6.5 10.5'

/** The lines of the mark, for what is no page. */
export const drawnMark = { card, mountain } as const

/** Name and mark in the page's head. */
export function Wordmark() {
  return (
    <svg className="wordmark" viewBox="0 0 166 32" role="img" aria-label="AMA eSIM" fill="none">
      <g className="mark">
        <path d={card} fill="currentColor" />
        <path d={mountain} className="peak" strokeWidth="3" strokeLinecap="round" strokeLinejoin="round" />
        <circle cx="18.6" cy="11.4" r="2.3" fill={sun} />
      </g>
      <g stroke="currentColor" strokeLinecap="round" strokeLinejoin="round">
        <path strokeWidth="3.4" d="M37.5 24.5 45 7.5l7.5 17M40.4 18.6h9.2M58 24.5v-17l8 11.3 8-11.3v17" />
        <path strokeWidth="3.4" d="M79.5 24.5 87 7.5l7.5 17M82.4 18.6h9.2" />
        <g strokeWidth="2.2">
          <path d="M107.3 18.7h10.4a5.3 5.8 0 1 0-1.7 4.3" />
          <path d="M133 10.3c-1-1.9-2.7-2.8-4.8-2.8-2.7 0-4.7 1.5-4.7 4 0 5.6 9.9 3.3 9.9 8.8 0 2.7-2.2 4.2-5 4.2-2.5 0-4.5-1.1-5.4-3.2" />
          <path d="M139.5 7.5v17M146 24.5v-17l8 11.3 8-11.3v17" />
        </g>
      </g>
    </svg>
  )
}

/** The mark alone, in a square, in the colours of the light theme: a browser's tab may be light or dark. */
export const favicon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none"><g transform="translate(2.5 0)"><path d="${card}" fill="${colours.accent}"/><path d="${mountain}" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/><circle cx="18.6" cy="11.4" r="2.3" fill="${sun}"/></g></svg>`
