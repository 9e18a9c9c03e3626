/**
 * The style sheet of every page, for light and dark. It is inline, so that pages wait for nothing; its hash allows it.
 */
import { createHash } from 'node:crypto'
import { colours, darkColours } from '../../mails/style.ts'
import { keysOf } from '../../shared/keys-of.ts'

const variables = keysOf(colours)
  .map((name) => `--${name}: light-dark(${colours[name]}, ${darkColours[name]})`)
  .join('; ')

export const style = `
:root { color-scheme: light dark; font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  ${variables}; --danger: light-dark(#b3261e, #ffb4a9); --warn: light-dark(#7a5200, #f2c14e);
  --good: light-dark(#0a6b3c, #7fdcae); -webkit-text-size-adjust: 100% }
* { box-sizing: border-box }
body { background: var(--page); color: var(--ink); margin: 0 auto; max-width: 46rem; min-height: 100vh;
  min-height: 100dvh; display: flex; flex-direction: column; overflow-wrap: anywhere; padding: 0 1.125rem }
body:has(.scroll) { max-width: 62rem }
main { flex: 1; padding-bottom: 2.5rem }
h1, h2, h3 { letter-spacing: -.015em; line-height: 1.2; text-wrap: balance }
h1 { font-size: clamp(1.65rem, 1.3rem + 1.6vw, 2.2rem); letter-spacing: -.025em; margin: 1.25rem 0 1rem }
h2 { font-size: 1.25rem; margin: 1.75rem 0 .6rem }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem }
p { margin: .6rem 0 }
a { color: var(--accent); text-decoration-thickness: .06em; text-underline-offset: .18em }
a:hover { text-decoration-thickness: .12em }
:focus-visible { border-radius: .3rem; outline: .19rem solid var(--accent); outline-offset: .16rem }
.icon { flex: none; height: 1.3em; vertical-align: -.27em; width: 1.3em }
.skip { background: var(--card); left: .5rem; padding: .5rem .75rem; position: absolute; top: -6rem }
.skip:focus { top: .5rem }
body > header { align-items: center; display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; justify-content: space-between;
  padding: .6rem 0 0 }
body > header a { align-items: center; color: inherit; display: inline-flex; font-weight: 600; min-height: 2.75rem;
  text-decoration: none }
nav { display: flex; flex-wrap: wrap; gap: 0 1.25rem }
nav a { align-items: center; display: inline-flex; gap: .35rem; min-height: 2.75rem }
body > header > a + nav { margin-left: auto }
body > header nav a[aria-current=page] { box-shadow: inset 0 -.15rem var(--accent); color: var(--accent) }
.wordmark { display: block; height: 2rem; width: 10.375rem }
@media (max-width: 26rem) { .wordmark { height: 1.6rem; width: 8.3rem } nav.switch .icon { display: none } }
.mark { color: var(--accent) }
.peak { stroke: var(--page) }
body > footer { border-top: 1px solid var(--line); color: var(--muted); font-size: .875rem; padding: 1rem 0 2rem }
body > footer a { color: inherit }
code, pre { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
code { user-select: all }
.written { background: var(--card); border-left: .25rem solid var(--line); padding: .6rem .9rem; white-space: pre-wrap }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; overflow-x: auto; padding: .75rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid var(--line); overflow-wrap: normal; padding: .5rem .75rem .5rem 0; text-align: left;
  vertical-align: top }
thead th { color: var(--muted); font-size: .875rem; font-weight: 600 }
th[colspan] { font-weight: 400 }
td.amount, th.amount { font-variant-numeric: tabular-nums; padding-left: .75rem; padding-right: 0; text-align: right; white-space: nowrap }
td.amount:not(:last-child), th.amount:not(:last-child) { padding-right: .75rem }
.scroll td:not(.amount) { min-width: 6.5rem }
td code { overflow-wrap: anywhere } .scroll:not(.stacks) td code { overflow-wrap: normal }
td.when { min-width: 8rem }
@media (min-width: 52rem) { td.when { white-space: nowrap } }
td.what { min-width: 13rem } td.what.short { min-width: 0 }
@media (max-width: 34rem) {
  .stacks thead { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; width: 1px }
  .stacks table, .stacks tbody { display: block }
  .stacks tr { border-bottom: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: 0 .75rem; padding: .6rem 0 }
  .stacks tr:last-child { border-bottom: 0; padding-bottom: 0 }
  .stacks tbody th { border: 0; padding: 0 }
  .stacks td { border: 0; color: var(--muted); font-size: .875rem; overflow-wrap: anywhere; padding: 0 }
  .stacks.scroll td { min-width: 0 } .stacks td:empty { display: none }
  .stacks td:has(> .acts) { flex-basis: 100% }
  .stacks .what { color: var(--ink); flex-basis: 100%; font-size: 1rem; order: -1 }
  .stacks td.what.broken { color: var(--danger) } }
details { border-top: 1px solid var(--line) }
details:last-of-type { border-bottom: 1px solid var(--line) }
details[open] { padding-bottom: .75rem }
summary { cursor: pointer; font-weight: 600; padding: .8rem 0 }
summary + * { margin-top: 0 }
.card details:last-child { border-bottom: 0; margin-bottom: -.5rem }
.method { display: inline-block; font-weight: 600; min-width: 4.5rem }
.quiet, dt { color: var(--muted) }
.quiet { font-size: .925rem }
nav.languages { font-size: .9rem }
body > header nav.languages a { font-weight: 400; text-decoration: underline }
body > header nav.languages a[aria-current] { font-weight: 700; text-decoration: none }
nav.switch { background: var(--quiet); border-radius: .8rem; gap: .25rem; margin: 1rem 0; padding: .25rem }
nav.switch a { border-radius: .6rem; color: inherit; flex: 1 0 4.5rem; font-weight: 600; justify-content: center;
  line-height: 1.2; padding: .3rem .5rem; text-align: center; text-decoration: none }
nav.switch a[aria-current] { background: var(--card); box-shadow: 0 1px 3px #0003; color: var(--accent) }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 1rem; margin: 1rem 0;
  padding: 1.1rem 1.25rem 1.25rem }
.card > :first-child { margin-top: 0 }
.card > :last-child { margin-bottom: 0 }
.card > ul.rows { margin: -.5rem 0 }
.head { align-items: start; display: flex; flex-wrap: wrap; gap: .4rem .75rem; justify-content: space-between }
.head > * { margin: 0 }
ul.rows > li.head { align-items: center; padding: .7rem 0 }
.head form.inline, .head form.inline button { margin: 0 }
.offer { display: grid; gap: .1rem 1rem; grid-template-columns: 1fr auto; align-items: center }
.offer h2, .offer form { margin: 0 }
.price { font-weight: 600; margin: 0 }
.offer button { grid-column: 1 / -1; margin: .6rem 0 0; width: 100% }
@media (min-width: 34rem) { .offer { grid-template-columns: 1fr auto auto }
  .offer button { grid-column: auto; margin: 0; width: auto } }
.badge { background: var(--quiet); border-radius: 2rem; color: var(--accent); display: inline-block; font-size: .875rem;
  font-weight: 600; padding: .15rem .7rem }
.badge.over { color: var(--muted) }
.badge.attention { color: var(--warn) }
.scroll { overflow-x: auto }
ul.rows { list-style: none; margin: 0; padding: 0 }
ul.rows > li + li { border-top: 1px solid var(--line) }
ul.rows > li > a { align-items: center; color: inherit; display: flex; gap: .75rem; min-height: 3.25rem;
  padding: .6rem 0; text-decoration: none }
ul.rows > li > a:hover strong { text-decoration: underline }
ul.rows .grow { flex: 1 }
ul.rows .icon { color: var(--accent) }
dl { display: grid; gap: .4rem 1.25rem; grid-template-columns: fit-content(45%) 1fr; margin: .75rem 0 }
dt { min-width: 8rem }
dl > div { display: contents }
dd { margin: 0; min-width: 0 }
@media (max-width: 34rem) { dl { gap: 0; grid-template-columns: 1fr } dt { font-size: .875rem } dd { margin-bottom: .6rem } }
ol.steps { counter-reset: step; list-style: none; padding: 0 }
ol.steps > li { counter-increment: step; margin: .9rem 0; min-height: 1.9rem; padding-left: 2.75rem; position: relative }
ol.steps > li::before { background: var(--quiet); border-radius: 50%; color: var(--accent); content: counter(step);
  font-weight: 700; height: 1.9rem; left: 0; line-height: 1.9rem; position: absolute; text-align: center; top: -.15rem;
  width: 1.9rem }
button, .button { background: var(--accent); border: 1px solid var(--accent); border-radius: .7rem; color: var(--onAccent);
  cursor: pointer; display: inline-block; font: inherit; font-weight: 600; line-height: 1.4; margin: .25rem .5rem .25rem 0;
  min-height: 2.75rem; overflow-wrap: break-word; padding: .6rem 1.15rem; text-align: center; text-decoration: none;
  text-wrap: balance }
button:hover, .button:hover { filter: brightness(1.08) }
button.plain, .button.plain { background: none; border-color: color-mix(in srgb, var(--muted) 55%, var(--card));
  color: var(--ink) }
.button.risky { background: none; border-color: var(--danger); color: var(--danger) }
button.danger { background: var(--danger); border-color: var(--danger); color: light-dark(#fff, #3b0907) }
.acts { display: flex; flex-wrap: wrap; gap: .5rem }
.acts > *, .acts form button { margin: 0; text-align: center }
.acts > form.inline { margin: 0 }
@media (max-width: 34rem) { .acts > * { flex: 1 1 7.5rem; padding-inline: .5rem } .acts > form { padding: 0 }
  .acts > .button { align-content: center } .acts form button { height: 100%; padding-inline: .5rem; width: 100% } }
button.copy { font-size: .85rem; margin: 0 0 0 .5rem; min-height: 2rem; padding: .15rem .7rem }
button[hidden] { display: none }
form { margin: .75rem 0 }
form.inline { display: inline-block; margin: .25rem .5rem .25rem 0 }
.search form { align-items: end; display: flex; gap: .5rem }
.search label { flex: 1; margin: 0 }
.search button { margin: 0 }
.search input:not([type=hidden]) { max-width: none }
label, .field { display: block; font-weight: 600; margin: .9rem 0 }
.field label { margin: 0 }
.pairs { display: grid; gap: 0 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr)) }
label.choice { align-items: start; display: flex; font-weight: 400; gap: .7rem; padding: .2rem 0 }
input[type=checkbox] { accent-color: var(--accent); flex: none; height: 1.35rem; margin: .1rem 0; width: 1.35rem }
input:not([type=checkbox], [type=hidden]), select, textarea { background: var(--card); border: 1px solid var(--muted);
  border-radius: .6rem; color: inherit; display: block; font: inherit; font-weight: 400; margin-top: .3rem;
  max-width: 32rem; min-height: 2.75rem; padding: .55rem .75rem; width: 100% }
textarea { min-height: 7rem }
[aria-invalid] { border-color: var(--danger) !important; box-shadow: 0 0 0 1px var(--danger) }
.fault { color: var(--danger); display: block; font-size: .925rem; font-weight: 600; margin-top: .3rem }
.hint { color: var(--muted); display: block; font-size: .925rem; font-weight: 400 }
progress { appearance: none; background: var(--quiet); border: 0; border-radius: 1rem; display: block; height: .65rem;
  margin: .5rem 0; overflow: hidden; width: 100% }
progress::-webkit-progress-bar { background: var(--quiet) }
progress::-webkit-progress-value { background: var(--accent); border-radius: 1rem }
progress::-moz-progress-bar { background: var(--accent); border-radius: 1rem }
img.qr { background: #fff; border-radius: .75rem; display: block; height: auto; margin: .75rem 0; max-width: 100%;
  width: 17rem }
.notice, .saved, .faults { background: var(--quiet); border-radius: .7rem; margin: 1rem 0; padding: .75rem 1rem }
.saved { color: var(--good); font-weight: 600 }
.faults { background: light-dark(#fdeceb, #37201e); border: 1px solid var(--danger) }
.faults h2 { color: var(--danger); font-size: 1.05rem; margin: 0 0 .25rem }
.faults ul { margin: .25rem 0 0; padding-left: 1.2rem }
.faults a { color: inherit }
.way > .icon:first-child { margin-left: -.4em }
.way { display: inline-flex; align-items: center; gap: .35rem; font-weight: 600; min-height: 2.75rem; text-decoration: none }
.total td, .total th { border-bottom: 0; font-weight: 700 }
.kept { color: var(--good) }
.broken { color: var(--danger); font-weight: 600 }
.unknown { color: var(--warn); font-weight: 600 }
@media print { @page { margin: 18mm } :root { color-scheme: light }
  body, body:has(.scroll) { background: #fff; display: block; max-width: none; min-height: 0; padding: 0 }
  main { padding: 0 } tr, .card { break-inside: avoid } .scroll { overflow: visible }
  body > header nav, body > header nav.languages, body > footer, .screen, .skip { display: none } .card { border: 0; padding: 0 }
  a { color: inherit; text-decoration: none } }
@media (prefers-reduced-motion: no-preference) { button, .button { transition: filter .15s } }
`

/** The source expression for `style-src` of Content-Security-Policy. */
export const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`
