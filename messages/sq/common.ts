import type { common as english } from '../en/common.ts'
import type { Translation } from '../translation.ts'

export const common = {
  startPage: 'AMA eSIM, faqja kryesore',
  site: 'Faqet',
  myEsims: 'eSIM-et e mia',
  skip: 'Kaloni te përmbajtja',
  error: 'Gabim',
  imprint:
    'AMA eSIM operohet nga 3AM GROUP L.L.C., Pajazit Islami 1, Fushë Kosovë, Kosovë. Numri i regjistrimit të biznesit 812130334.',
  questions: 'Keni pyetje? Na shkruani në <mail>{address}</mail>. <privacy>Politika e privatësisë</privacy>',
  yourEsim: 'eSIM-i juaj',
  esimOf: 'eSIM-i {number, number} nga {count, number}',
  qrAlt: 'Kodi QR: {name}; të njëjtat të dhëna janë më poshtë si tekst',
  smdpAddress: 'Adresa SM-DP+',
  activationCode: 'Kodi i aktivizimit',
  confirmationCode: 'Kodi i konfirmimit',
  unlimited: 'pa kufi',
  lessThan: 'më pak se {amount}',
  global: 'mbarë bota',
  countries: '{count, plural, one {# shtet} other {# shtete}}',
  'valid.days': '{days, plural, one {#\u00a0ditë} other {#\u00a0ditë}}',
  'valid.installation': '{days, plural, one {#\u00a0ditë} other {#\u00a0ditë}} nga instalimi në telefon',
  'valid.first_use':
    '{days, plural, one {#\u00a0ditë} other {#\u00a0ditë}} nga lidhja e parë me një rrjet në destinacion',
  'valid.unknown': '{days, plural, one {#\u00a0ditë} other {#\u00a0ditë}} nga fillimi që e cakton rrjeti',
} satisfies Translation<typeof english>
