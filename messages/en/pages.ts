/** Pages for persons, other than those of the account and of an eSIM. */
export const page = {
  switch: 'Language',
  accountLanguage: 'Language of our e-mails and pages',
  save: 'Save',

  'unsubscribe.ask': 'Get no more offers?',
  'unsubscribe.done': 'You get no more offers',
  'unsubscribe.off': 'You get no offers',
  'unsubscribe.unknown': 'This link does not work',
  'unsubscribe.askText': 'We send offers only to those who asked for them. One click, and we stop.',
  'unsubscribe.stop': 'Stop the offers',
  'unsubscribe.stays':
    'You will still get e-mails about what you buy. You can switch offers on again under <data>My data</data>.',
  'unsubscribe.doneText':
    'It holds from now on, for offers of every kind. You will still get e-mails about what you buy. You can switch offers on again under <data>My data</data>.',
  'unsubscribe.offText':
    'Offers are switched off for this address, or the account is deleted. There is nothing more to do.',
  'unsubscribe.unknownText':
    'Perhaps it was not copied whole. You can switch offers off under <data>My data</data>, too.',

  'emailChange.ask_old': 'Change the address of your account?',
  'emailChange.ask_new': 'Use this address for your account?',
  'emailChange.agreed': 'Thank you',
  'emailChange.changed': 'The address is changed',
  'emailChange.over': 'The address stays as it was',
  'emailChange.agree': 'I agree',
  'emailChange.askOldText':
    'From then on e-mails about your account and your eSIMs go to {address} only, and whoever reads them gets into the account.',
  'emailChange.askOldNote':
    'If you did not ask for it, or this is not your address, close this page and write to us: nothing happens without you.',
  'emailChange.askNewText': 'E-mails about the account and its eSIMs will come here.',
  'emailChange.askNewNote': 'If you do not know what this is about, close this page.',
  'emailChange.agreedText': 'The other address has to agree, too: we have sent it a link.',
  'emailChange.changedText':
    'E-mails go to the new address from now on. Sign in again where you were signed in on the web.',
  'emailChange.overText':
    'The change was replaced or cancelled, took too long, or the new address has an account of its own.',

  'policy.title': 'Privacy policy',
  'policy.current': 'Version {version}, in force since {day}.',
  'policy.earlier': 'Earlier versions',
  'policy.version': 'Version {version}, {life}.',
  'policy.all': 'The policy in force, and all other versions',
  'policy.coming': 'Coming on {day}',
  'policy.comingText': '<link>Version {version}</link> takes effect on {day}. Until then the version below applies.',
  'policy.comingMoved':
    '<link>Version {version}</link> takes effect on {day} (first announced for {announced}: not everybody could be notified in time). Until then the version below applies.',
  'policy.changes': 'What changes:',
  'policy.life.inForce': 'in force since {day}',
  'policy.life.withdrawn': 'withdrawn on {day}, never in force',
  'policy.life.withdrawnOnce': 'withdrawn, never in force',
  'policy.life.superseded': 'in force from {from} to {to}',
  'policy.life.supersededOnce': 'in force from {from}',
  'policy.life.coming': 'coming on {day}',
  'policy.life.comingMoved':
    'coming on {day} (first announced for {announced}: not everybody could be notified in time)',
} as const
