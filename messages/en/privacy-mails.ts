/** Mails about the privacy policy, privacy requests, breaches and promotions. */
export const privacy = {
  'policy.reason':
    'You are getting this e-mail because you have an AMA eSIM account: we promised to notify you. It is not advertising.',
  'policy.subject': 'Our privacy policy changes on {day}',
  'policy.preview': 'What changes, and what you can do.',
  'policy.text': 'Until then the current policy applies. This is what changes with version {version}:',
  'policy.readNew': 'Read the new policy',
  'policy.disagree': 'If you do not agree',
  'policy.delete': 'You can delete your account at any time, in the app or at {url}.',
  'policy.versions': 'The policy in force and all earlier versions are at {url}.',
  'moved.subject': 'Our privacy policy changes later: on {day}',
  'moved.preview': 'The day has moved; what changes has not.',
  'moved.text':
    'We wrote to you that version {version} was coming. We promised to notify everybody 30 days before, and we did not reach everybody in time, so it takes effect later: on {day}. Until then the current policy applies.',
  'withdrawn.subject': 'Our privacy policy stays as it is',
  'withdrawn.preview': 'The change we announced will not come.',
  'withdrawn.text':
    'We wrote to you, or showed you when you signed up, that version {version} was coming. We have withdrawn it: it never takes effect, and the current policy stays in force.',
  'withdrawn.action': 'Read the policy',

  'request.reason': 'You are getting this e-mail because you asked us about your privacy.',
  'request.reference': 'Reference',
  'request.received': 'Received',
  'request.answerBy': 'Answer by',
  'request.weAnswerBy': 'We answer by {day}.',
  'acknowledged.subject': 'We have your privacy request',
  'acknowledged.text': 'Thank you for writing. A person reads it and answers you within 30 days.',
  'acknowledged.note':
    'You can see, correct, export and delete your data yourself at any time, in the app or at {url}.',
  'answered.subject': 'Our answer to your privacy request',
  'answered.preview': 'Reference {reference}',
  'answered.note': 'If you do not accept the answer, reply to it, or complain to a data protection authority.',
  'extended.subject': 'Your privacy request takes longer',
  'extended.complexity':
    'Your request takes more work than most. The law gives us more time for that, and we use no more of it than we need.',
  'extended.number_of_requests':
    'We have several requests of yours to answer. The law gives us more time for that, and we use no more of it than we need.',
  'extended.note': 'If you do not agree, reply to this e-mail, or complain to a data protection authority.',

  'breach.subject': 'Somebody has seen your data',
  'breach.preview': 'What happened, what may follow, and what you can do.',
  'breach.reason': 'You are getting this e-mail because the law requires us to notify you of a breach of your data.',
  'breach.text':
    'Dear {firstName}, data of your AMA eSIM account was read by somebody who should not have seen it. We are sorry.',
  'breach.when': 'When',
  'breach.period': '{first} to {last}',
  'breach.read': 'What was read',
  'breach.consequences': 'What may follow',
  'breach.measures': 'What we have done',
  'breach.contact': 'Whom to ask',
  'breach.note':
    'Be careful with e-mails and calls that mention your orders. We never ask for passwords or card numbers. You may also complain to a data protection authority.',
  'held.account': 'name, e-mail address, phone number, IP addresses, and identifiers of Apple, Google and Firebase',
  'held.consents': 'consent to promotions',
  'held.devices': 'device identifiers, model, versions of app and system',
  'held.emailChanges': 'old and new e-mail address',
  'held.orders': 'purchases: packages, destinations, dates and amounts',
  'held.esims': 'eSIM numbers (ICCID), activation codes and use of data',
  'held.privacyRequests': 'privacy requests with their texts and answers',
  'held.policyNotices': 'whether a notice reached you',
  'held.accesses': 'who read your data',
  'held.everything': 'everything that the service holds about you',

  'promotion.reason':
    'You are getting this e-mail because you asked for our offers. <link>Unsubscribe</link> with one tap.',
} as const
