/**
 * U3, activation codes are sent: texts of the page of a delivered eSIM: installation by kind of phone, state, usage and
 * help. Names of settings are the phone's.
 */
export const install = {
  title: 'Your eSIM for {place}',
  refunded: 'This order was refunded. {count, plural, one {Its eSIM} other {Its eSIMs}} can no longer be installed.',
  all: 'eSIMs of this order',
  short: 'eSIM {number, number}',
  secret: 'Keep this address to yourself: anyone who has it can install the eSIM.',
  more: 'Add data',
  moreOrReturn: 'Add data, or return the order unused',
  order: 'See the order',
  orderOrReturn: 'See the order, or return it unused',
  data: 'Data',
  worksIn: 'Works in',
  countries: '{count, plural, other {All # countries}}',
  phone: 'Phone',
  other: 'Other',
  copied: 'Copied',
  copy: 'Copy',
  copyOf: 'Copy {label} of {name}',
  oneLine: 'In one line',
  install: 'Install it',
  there: 'At your destination',
  codes: 'Codes of this eSIM',
  scan: 'Scan this with the phone that will use the eSIM, from another screen:',
  once: 'It can be installed once, on one phone. Do not delete it from the phone before the end of your trip: switch it off while you do not need it; its days go on. The ICCID is its serial number, which our support asks for.',

  'state.new': 'Ready to be installed',
  'state.installed': 'Installed, not used yet',
  'state.in_use': 'In use',
  'state.used_up': 'All data is used',
  'state.expired': 'Has expired',
  'state.removed': 'Was deleted from the phone',
  'state.cancelled': 'Was returned',
  'state.suspended': 'On hold',
  'state.unknown': 'The network has not reported its state yet',
  ended: 'Ended {at}.',
  validUntil: 'Valid until {at}.',
  validFor: 'Valid for {days}.',
  'hint.installation': 'Install it shortly before you leave.',
  'hint.first_use': 'You can install it at home today.',
  installBefore: 'Install it before {at}.',
  used: '{used} used, without a limit',
  usedOf: '{used} of {total} used',
  usedBar: 'Used data: {name}',
  read: 'Read at the network on {at}. Networks report usage some hours late.',

  'step.wifi': 'Connect to Wi-Fi.',
  'step.other.wifi': 'Connect the phone that will use the eSIM to Wi-Fi.',
  'step.other.open':
    'On an iPhone open Settings, Mobile Service or Cellular, Add eSIM, Use QR Code; on Android open Settings, Network & internet, SIMs, Add eSIM.',
  'step.other.scan': 'Scan the QR code below. If the camera cannot be used, enter the codes below it by hand.',
  'step.other.wait': 'Wait until the phone says that the eSIM was added, which takes some minutes.',
  'step.ios.tap': 'On iOS 17.4 or later tap here; the phone shows “Activate eSIM”:',
  'step.ios.button': 'Install on this iPhone',
  'step.ios.older':
    'On an older iPhone open Settings, Mobile Service or Cellular, Add eSIM, Use QR Code. Scan the code below from another screen, or choose Enter Details Manually and copy the SM-DP+ address and the activation code.',
  'step.ios.continue':
    'Tap Continue until the phone says “Mobile Setup Complete” or “Cellular Setup Complete”. That can take some minutes: do not interrupt it. Name the line “Travel”.',
  'step.ios.keep': 'Keep your own line as the default for calls and messages.',
  'step.android.tap': 'Some Android phones install it by a tap:',
  'step.android.button': 'Install on this Android phone',
  'step.android.others':
    'On the others open Settings, Network & internet, SIMs, Add eSIM. Samsung: Connections, SIM manager, Add eSIM. Scan the code below from another screen, or choose to enter it and copy “In one line”.',
  'step.android.wait':
    'Tap Download or Add, and wait until the phone says that the eSIM was added. That can take some minutes: do not interrupt it.',
  'step.android.keep': 'Keep your own SIM for calls and messages.',

  'roaming.ios':
    'Settings, Mobile Service or Cellular, this eSIM: switch on the line and Data Roaming, and choose it under Mobile Data or Cellular Data.',
  'roaming.android': 'Settings, Network & internet, SIMs, this eSIM: switch on Use SIM, Mobile data and Roaming.',
  'roaming.other':
    'In the settings of the phone switch on this eSIM, choose it for mobile data, and switch on data roaming.',
  apn: 'If no page loads after some minutes, enter the access point name (APN) <code>{apn}</code> in the settings of this eSIM.',
  apnItself: 'The phone sets the access point name (APN) by itself.',
  ownSim: 'Leave data roaming of your own SIM switched off, so that it costs nothing.',

  'help.suspended':
    'It cannot go online for now, mostly because a bank is looking at a payment of this order. If you know nothing about that, please write to us.',
  'help.removed':
    'It cannot be installed again, on any phone. If you need more data, the app has new eSIMs; if you have not deleted it yourself, please write to us.',
  'help.usedUp': 'This eSIM takes no more data. If you need more, the app has new ones.',
  'help.title': 'If it does not work',
  'help.code': 'The phone does not accept the code',
  'help.code.once': 'It can be installed once. If it is on a phone already, it appears there under the SIMs.',
  'help.code.lock':
    'The phone must support eSIM and must not be locked to a network: dial *#06#, an EID must be shown.',
  'help.code.wifi': 'Use Wi-Fi. Mobile data of the SIM that is being replaced can break the download.',
  'help.code.hand': 'Enter the codes by hand instead of scanning.',
  'help.network': 'It is installed, but there is no network',
  'help.network.home': 'It connects at the destination only. At home “No service” is normal.',
  'help.network.ios': 'Switch airplane mode on for ten seconds and off again in the Control Centre.',
  'help.network.android': 'Switch airplane mode on for ten seconds and off again in the quick settings.',
  'help.network.other': 'Switch airplane mode on for ten seconds and off again, or restart the phone.',
  'help.network.hand':
    'Choose the network by hand: switch Network Selection from Automatic, wait for the list, and try each.',
  'help.data': 'There is a network, but no page loads',
  'help.data.roaming': 'Data roaming of this eSIM has to be on, and mobile data has to use this eSIM.',
  'help.data.apn': 'Enter the access point name (APN) from above, if one is named there.',
  'help.data.used': 'Look above whether all data is used or the days are over.',
  'help.write':
    'Still not working? Write to <mail>{address}</mail> with the ICCID and what the phone shows. An eSIM that was never used can be returned for a full refund.',
} as const
