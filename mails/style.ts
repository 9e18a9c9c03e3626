/**
 * The brand's colours, for mails and pages. Text and background have a contrast of at least 4.5 to 1 (WCAG AA), in both
 * themes.
 */
export const colours = {
  page: '#f3f6f4',
  card: '#ffffff',
  ink: '#10231f',
  muted: '#4a5d58',
  line: '#d2ddd9',
  accent: '#0a6b5c',
  onAccent: '#ffffff',
  quiet: '#e8f1ee',
} as const

export const darkColours: Record<keyof typeof colours, string> = {
  page: '#0b1412',
  card: '#13201d',
  ink: '#e7f0ed',
  muted: '#a5b8b2',
  line: '#2b3d38',
  accent: '#5fd4bd',
  onAccent: '#06231c',
  quiet: '#1c2d28',
}

/** The sun in the mark: decoration only, since text in it would be too pale. */
export const sun = '#f5ab3d'

export const font = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
export const monospace = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"

/** `!important`, since inline styles override a style sheet. The QR code stays black on white. */
export const darkStyle = `
@media (prefers-color-scheme: dark) {
  .page, .page > table > tbody > tr > td { background-color: ${darkColours.page} !important; }
  .card { background-color: ${darkColours.card} !important; border-color: ${darkColours.line} !important; }
  .brand, .ink { color: ${darkColours.ink} !important; }
  .muted { color: ${darkColours.muted} !important; }
  .accent, .link { color: ${darkColours.accent} !important; }
  .button { background-color: ${darkColours.accent} !important; color: ${darkColours.onAccent} !important; }
  .quiet { background-color: ${darkColours.quiet} !important; }
  .line { border-color: ${darkColours.line} !important; }
}
@media (max-width: 480px) {
  .card { padding: 20px 18px 14px !important; }
}`
