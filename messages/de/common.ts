import type { common as english } from '../en/common.ts'
import type { Translation } from '../translation.ts'

export const common = {
  startPage: 'AMA eSIM, Startseite',
  site: 'Seiten',
  myEsims: 'Meine eSIMs',
  skip: 'Zum Inhalt springen',
  error: 'Fehler',
  imprint:
    'AMA eSIM wird betrieben von 3AM GROUP L.L.C., Pajazit Islami 1, Fushë Kosovë, Kosovo. Unternehmensnummer 812130334.',
  questions: 'Fragen? Schreiben Sie an <mail>{address}</mail>. <privacy>Datenschutzerklärung</privacy>',
  yourEsim: 'Ihre eSIM',
  esimOf: 'eSIM {number, number} von {count, number}',
  qrAlt: 'QR-Code: {name}; dieselben Angaben stehen darunter als Text',
  smdpAddress: 'SM-DP+-Adresse',
  activationCode: 'Aktivierungscode',
  confirmationCode: 'Bestätigungscode',
  unlimited: 'unbegrenzt',
  lessThan: 'weniger als {amount}',
  global: 'weltweit',
  countries: '{count, plural, one {# Land} other {# Länder}}',
  'valid.days': '{days, plural, one {#\u00a0Tag} other {#\u00a0Tage}}',
  'valid.installation': '{days, plural, one {#\u00a0Tag} other {#\u00a0Tage}} ab der Installation auf einem Telefon',
  'valid.first_use':
    '{days, plural, one {#\u00a0Tag} other {#\u00a0Tage}} ab der ersten Verbindung mit einem Netz am Reiseziel',
  'valid.unknown': '{days, plural, one {#\u00a0Tag} other {#\u00a0Tage}} ab dem Beginn, den das Netz festlegt',
} satisfies Translation<typeof english>
