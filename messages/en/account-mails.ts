/** Mails about an account: sign-in, change of address, inactivity, deletion. */
export const mail = {
  'signIn.subject': 'Your sign-in link',
  'signIn.preview': 'It works once, for {minutes, plural, one {# minute} other {# minutes}}.',
  'signIn.reason': 'Somebody asked to sign in with this address.',
  'signIn.title': 'Sign in to AMA eSIM',
  'signIn.text': 'The link works once, for {minutes, plural, one {# minute} other {# minutes}}.',
  'signIn.action': 'Sign in',
  'signIn.note':
    'If that was not you, do nothing: without this e-mail nobody can sign in. We never ask you for the link.',

  'emailChange.reason': 'Somebody who was signed in to your AMA eSIM account asked to change its address.',
  'emailChange.old.subject': 'Do you want to change your address?',
  'emailChange.old.preview': 'Agree only if you asked for it.',
  'emailChange.old.text':
    'We were asked to change the e-mail address of your account. Agree here and in the e-mail we have sent to the new one, both within {hours, plural, one {# hour} other {# hours}}.',
  'emailChange.old.action': 'Agree to the change',
  'emailChange.old.note':
    'If you did not ask for this, do not agree: sign out everywhere at {url}, which ends the change, and write to {address}. Nothing changes without you.',
  'emailChange.new.subject': 'Confirm your new address',
  'emailChange.new.preview': 'One tap shows us that it is yours.',
  'emailChange.new.text':
    'This address was given for an AMA eSIM account. Confirm within {hours, plural, one {# hour} other {# hours}} that it is yours.',
  'emailChange.new.action': 'Confirm this address',
  'emailChange.new.note': 'If you do not know what this is about, do nothing: we will not write to this address again.',
  'emailChange.done.subject': 'Your address was changed',
  'emailChange.done.preview': 'We write to your new address from now on.',
  'emailChange.done.text': 'We write to your new address from now on, and no longer to this one.',
  'emailChange.done.note': 'If that was not you, write to {address} at once.',

  'apple.subject': 'Sign in with Apple is off',
  'apple.preview': 'Your account and your eSIMs are still there.',
  'apple.reason': 'You are getting this e-mail because AMA eSIM was removed from your Apple Account.',
  'apple.text':
    'You have removed AMA eSIM from your Apple Account, so we have forgotten the connection. Your account and your eSIMs are still there: sign in with your e-mail address, or with Apple again to connect anew.',
  'apple.ended':
    'You are signed out on every device. A change of your e-mail address that you have asked for goes on: it needs the consent of the address that you have now.',
  'apple.delete': 'If you wanted your account deleted, you can do that in the app or at {url}.',
  'apple.note':
    'If you used an Apple relay address, e-mails to it may stop. Set another address in the app or at {url}.',

  'inactive.subject': 'Your AMA eSIM account will be deleted in {days, plural, one {# day} other {# days}}',
  'inactive.preview': 'Sign in once to keep it.',
  'inactive.reason': 'You are getting this e-mail because you have an AMA eSIM account. It is not advertising.',
  'inactive.text':
    'You have not used your account for almost three years. We keep accounts no longer than that, so we will delete it on {day}.',
  'inactive.keep': 'To keep it, sign in once before that day, in the app or here:',
  'inactive.action': 'Keep my account',
  'inactive.note':
    'If you do nothing, your personal data is deleted for good. Invoices stay for as long as the law asks, without your name.',

  'deleted.subject': 'Your account is deleted',
  'deleted.preview': 'This is our last e-mail to you.',
  'deleted.reason': 'This is our last e-mail to this address.',
  'deleted.cause.requested': 'As you asked, we have deleted your account and your personal data.',
  'deleted.cause.inactivity':
    'Your account was not used for three years, so we have deleted it and your personal data.',
  'deleted.cause.sign_in_account_deleted':
    'The Apple Account you signed in with was deleted, so we have deleted your account and your personal data.',
  'deleted.cause.child':
    'We learned that this account belonged to a child under 13, so we have deleted it and its personal data.',
  'deleted.stays':
    'Invoices stay for as long as the law asks, without your name. Backups that still hold your data are gone by {day}, and are never used to bring it back.',
  'deleted.apple':
    'One thing only you can do: on your iPhone, open Settings, tap your name, then Sign in with Apple, and remove AMA eSIM from the list.',
  'deleted.on': 'Deleted on',
  'deleted.receipt': 'Receipt',
  'deleted.action': 'See the receipt',
  'deleted.note':
    'The receipt shows what each company that processes data for us has deleted. It holds nothing about you, so keep this e-mail if you want to find it again.',
} as const
