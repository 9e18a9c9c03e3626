/**
 * The groups of fields by which the access log names a route's answer and by which a breach is described. The fields
 * have the names of the export.
 */
export const fieldGroups = {
  account: {
    holds: 'name, e-mail address, phone number, IP addresses, and identifiers of Apple, Google and Firebase',
    fields: [
      'account.email',
      'account.firstName',
      'account.lastName',
      'account.phone',
      'account.signUpIp',
      'account.lastLoginIp',
      'account.firebaseUid',
      'identities[].subject',
    ],
  },
  consents: { holds: 'consent to promotions', fields: ['consents[].granted'] },
  devices: {
    holds: 'device identifiers, model, versions of app and system',
    fields: ['devices[].deviceId', 'devices[].model', 'devices[].osVersion', 'devices[].appVersion'],
  },
  emailChanges: {
    holds: 'old and new e-mail address',
    fields: ['emailChanges[].oldEmail', 'emailChanges[].newEmail'],
  },
  orders: {
    holds: 'purchases: packages, destinations, dates and amounts',
    fields: ['orders[].packageName', 'orders[].destination', 'orders[].amountMinor', 'orders[].createdAt'],
  },
  esims: {
    holds: 'eSIM numbers (ICCID), activation codes and use of data',
    fields: ['orders[].esims[].iccid', 'orders[].esims[].activationCode', 'orders[].esims[].usedBytes'],
  },
  privacyRequests: {
    holds: 'privacy requests with their texts and answers',
    fields: ['privacyRequests[].message', 'privacyRequests[].replyTo', 'privacyRequests[].answer'],
  },
  policyNotices: { holds: 'whether a notice reached the person', fields: ['policyNotices[].state'] },
  accesses: { holds: 'who read the data of the person', fields: ['accesses[].at', 'accesses[].by'] },
  everything: { holds: 'everything that the service holds about the person', fields: ['the whole export'] },
} as const

export type FieldGroup = keyof typeof fieldGroups
