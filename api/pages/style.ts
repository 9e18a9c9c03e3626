/** The style sheet of every page, for light and dark. It is inline, so that pages fetch nothing; its hash allows it. */
import { createHash } from 'node:crypto'

export const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --accent: light-dark(#0b57c2, #8fb8ff);
  --quiet: light-dark(#565a60, #b4b9c0) }
body { max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem 4rem }
h1, h2, h3 { line-height: 1.2 }
a { color: var(--accent) }
:focus-visible { outline: .2rem solid var(--accent); outline-offset: .15rem }
code, pre { font: 0.9em ui-monospace, monospace }
code { overflow-wrap: anywhere }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: .4rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid #8884 }
details { border: 1px solid #8886; border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem }
summary { cursor: pointer }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600 }
.quiet, dt { color: var(--quiet) }
nav a { margin-right: 1rem }
nav.switch { display: flex; flex-wrap: wrap; gap: .5rem }
nav.switch a { border: 1px solid #8889; border-radius: 2rem; color: inherit; margin: 0; padding: .3rem .9rem;
  text-decoration: none }
nav.switch a[aria-current] { background: var(--accent); border-color: transparent; color: light-dark(#fff, #0e1520) }
code { user-select: all }
.card { border: 1px solid #8886; border-radius: .6rem; margin: 1rem 0; padding: .25rem 1.25rem 1rem }
.scroll { overflow-x: auto }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem }
dl > div { display: contents }
dd { margin: 0; overflow-wrap: anywhere }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .5rem } }
button, .button { background: var(--accent); border: 0; border-radius: .5rem; color: light-dark(#fff, #0e1520);
  cursor: pointer; display: inline-block; font: inherit; font-weight: 600; padding: .6rem 1.1rem;
  margin: 0 .5rem .25rem 0; text-decoration: none }
button.plain { background: none; border: 1px solid #8889; color: inherit }
button.danger { background: light-dark(#b3261e, #f2b8b5) }
form { margin: .75rem 0 }
form.inline { display: inline-block; margin: .25rem .5rem .25rem 0 }
label { display: block; margin: .6rem 0 }
label.choice { display: flex; gap: .6rem }
input:not([type=checkbox], [type=hidden]), select, textarea { box-sizing: border-box; display: block; font: inherit;
  margin-top: .2rem; max-width: 32rem; padding: .5rem .6rem; width: 100% }
textarea { min-height: 7rem }
progress { height: 1rem; width: 100% }
img.qr { background: #fff; border-radius: .5rem; display: block; height: auto; max-width: 100%; width: 18rem }
.notice { border-left: .3rem solid var(--accent); padding: .2rem 0 .2rem 1rem }
.kept { color: light-dark(#17662e, #8fd8a5) }
.broken { color: light-dark(#b3261e, #f2b8b5); font-weight: 600 }
.unknown { color: light-dark(#7a5900, #f0c34e); font-weight: 600 }
`

/** The source expression for `style-src` of Content-Security-Policy. */
export const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`
