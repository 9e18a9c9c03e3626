/** Texts that mails, pushes and pages share. */
export const common = {
  startPage: 'AMA eSIM, start page',
  site: 'Site',
  myEsims: 'My eSIMs',
  skip: 'Skip to the content',
  error: 'Error',
  imprint:
    'AMA eSIM is operated by 3AM GROUP L.L.C., Pajazit Islami 1, Fushë Kosovë, Kosovo. Business registration 812130334.',
  questions: 'Questions? Write to <mail>{address}</mail>. <privacy>Privacy policy</privacy>',
  yourEsim: 'Your eSIM',
  esimOf: 'eSIM {number, number} of {count, number}',
  qrAlt: 'QR code of {name}; the same details are below as text',
  smdpAddress: 'SM-DP+ address',
  activationCode: 'Activation code',
  confirmationCode: 'Confirmation code',
  unlimited: 'unlimited',
  lessThan: 'less than {amount}',
  global: 'Global',
  countries: '{count, plural, one {# country} other {# countries}}',
  'valid.days': '{days, plural, one {#\u00a0day} other {#\u00a0days}}',
  'valid.installation': '{days, plural, one {#\u00a0day} other {#\u00a0days}} from its installation on a phone',
  'valid.first_use':
    '{days, plural, one {#\u00a0day} other {#\u00a0days}} from its first connection to a network at your destination',
  'valid.unknown': '{days, plural, one {#\u00a0day} other {#\u00a0days}} from the start that the network sets',
} as const
