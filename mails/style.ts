/** Colours and fonts. Text and background have a contrast of at least 4.5 to 1 (WCAG AA), in both themes. */
export const colours = {
  page: '#f2f5f9',
  card: '#ffffff',
  ink: '#14202e',
  muted: '#4d5b6b',
  line: '#d5dde6',
  accent: '#0b57c2',
  onAccent: '#ffffff',
  quiet: '#eef3f9',
} as const

export const font = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
export const monospace = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"

/** `!important`, since inline styles override a style sheet. The QR code stays black on white. */
export const darkStyle = `
@media (prefers-color-scheme: dark) {
  .page, .page > table > tbody > tr > td { background-color: #0e1520 !important; }
  .card { background-color: #17212f !important; border-color: #2c3a4d !important; }
  .brand, .ink { color: #e8edf4 !important; }
  .muted { color: #a9b6c6 !important; }
  .accent, .link { color: #8fb8ff !important; }
  .button { background-color: #8fb8ff !important; color: #0e1520 !important; }
  .quiet { background-color: #202c3d !important; }
  .line { border-color: #2c3a4d !important; }
}
@media (max-width: 480px) {
  .card { padding: 20px 18px 14px !important; }
}`
