/** Violations to plant in the kept world: each must be found by the oracle of its promise. */
import { createHash } from 'node:crypto'
import { milliseconds } from '../../../policy/periods.ts'
import type { CheckedPromise } from './oracles.ts'
import { bought, event, keepSilent, tell, type World } from './sample.ts'

type Plant = (world: World) => void

const at = <Item>(items: readonly Item[], index: number): Item => {
  const item = items.at(index)
  if (item === undefined) throw new Error(`no item ${index}`)
  return item
}
const someone = ({ said }: World, name: string) =>
  at(
    said.people.filter((person) => person.name === name),
    0,
  )
const some = ({ said }: World, name: string) =>
  at(
    said.orders.filter((order) => order.name === name),
    0,
  )
const payment = ({ books }: World, name: string) =>
  at(
    books.payments.filter(({ id }) => id === `pi-${name}`),
    0,
  )
const mailOf = ({ books }: World, name: string, part: string) =>
  at(
    books.mails.filter(({ to, subject }) => to[0]?.startsWith(name) && subject.includes(part)),
    0,
  )
const exportOf = (world: World, name: string) => {
  const { exported } = someone(world, name)
  if (!exported) throw new Error(`no export of ${name}`)
  return exported
}
const delivery = ({ books }: World, type: string, endpoint = 'all') =>
  at(
    books.deliveries.filter((each) => each.endpoint === endpoint && each.type === type),
    0,
  )
const { day: dayMs } = milliseconds

export const plants: Record<CheckedPromise, Record<string, Plant>> = {
  C1: {
    'an address that was not given': (world) => {
      exportOf(world, 'ann').account.email = 'other@people.example'
    },
    'a last name that was not given': (world) => {
      exportOf(world, 'ann').account.lastName = 'Other'
    },
    'a first name that was not given': (world) => {
      someone(world, 'ann').corrected = false
      exportOf(world, 'ann').account.firstName = 'Other'
    },
    'a phone number that was not given': (world) => {
      exportOf(world, 'ann').account.phone = '+4915112345678'
    },
    'a field that the policy does not name': (world) => {
      exportOf(world, 'ann').account.birthday = '2000-01-01'
    },
  },
  C2: {
    'a phone number that nobody gave': (world) => {
      someone(world, 'bob').seen.phone = '+4915112345678'
    },
    'a phone number that was lost': (world) => {
      someone(world, 'bob').phone = '+4915112345678'
    },
  },
  C3: {
    'an order that the export lacks': (world) => {
      exportOf(world, 'ann').orders = []
    },
    'another amount': (world) => {
      at(exportOf(world, 'ann').orders, 0).amountMinor = 1
    },
    'another package': (world) => {
      at(exportOf(world, 'ann').orders, 0).packageCode = 'france-1gb'
    },
    'no date': (world) => {
      at(exportOf(world, 'ann').orders, 0).createdAt = ''
    },
    'another date': (world) => {
      at(exportOf(world, 'ann').orders, 0).createdAt = '2025-11-29T00:00:00Z'
    },
    'no destination': (world) => {
      at(exportOf(world, 'ann').orders, 0).destination = ''
    },
  },
  C4: {
    'a push to a token that is gone': ({ books }) =>
      void books.pushAttempts.push({ at: at(books.unregistered, 0).at + 60_000, token: 'token-bob', lost: false }),
  },
  C5: {
    'a device that was lost': (world) => {
      exportOf(world, 'ann').devices = []
    },
    'a token that was lost': (world) => {
      at(exportOf(world, 'ann').devices, 0).pushToken = null
    },
    'a device of somebody else': (world) =>
      void exportOf(world, 'ann').devices.push({ deviceId: 'device-bob', pushToken: 'token-bob' }),
  },
  C6: {
    'an identity that was lost': (world) => {
      exportOf(world, 'ann').subjects = []
    },
    'an identity of somebody else': (world) => void exportOf(world, 'ann').subjects.push('apple-cat'),
    'a Google user that the account has lost': (world) => {
      someone(world, 'bob').seen.subjects = []
    },
    'a Google user of somebody else': (world) => void someone(world, 'bob').seen.subjects?.push('google-eve'),
  },
  C7: {
    'a foreign field that is accepted': ({ said }) => {
      at(said.foreignFields, 0).status = 201
    },
    'a foreign field that is passed on': ({ books }) =>
      void books.received.push({ party: 'meta', text: '{"madid":"idfa-value"}' }),
    'a foreign field that a mail shows': (world) => {
      mailOf(world, 'ann', 'ready').text = 'idfa-value'
    },
    'a foreign field that is kept': (world) => {
      exportOf(world, 'ann').account.language = 'idfa-value'
    },
  },
  U1: {
    'an account that is lost': (world) => {
      someone(world, 'bob').seen.status = 404
    },
    'a sign-in by a new key that is refused': (world) => {
      at(world.said.signIns, 1).status = 422
    },
    'somebody who was erased and cannot come back': (world) =>
      void world.said.signIns.push({ name: 'cat', what: 'sign-up', status: 409 }),
  },
  U2: {
    'paid, and nothing else': (world) => {
      some(world, 'a1').status = 'provisioning'
    },
    'closed as unpaid although paid': (world) => {
      some(world, 'b1').status = 'unpaid'
    },
    'delivered although nobody paid': (world) => {
      some(world, 'b2').status = 'delivered'
    },
    'an eSIM although nobody paid': (world) => {
      some(world, 'b2').iccids = ['iccid-b2']
      world.books.esims.push({ ...bought('iccid-b2', Number.MAX_SAFE_INTEGER), id: 'b2' })
    },
    'charged twice': (world) => {
      payment(world, 'a1').charges = 2
    },
    'paid by two payments': (world) => void world.books.payments.push({ ...payment(world, 'a1'), id: 'pi-again' }),
    'delivered and refunded': ({ books }) => void books.refunds.push({ payment: 'pi-a1', minor: 300, failed: false }),
    'refunded in part alone': ({ books }) => {
      at(books.refunds, 1).minor = 400
    },
    'a part refunded twice': ({ books }) => void books.refunds.push({ payment: 'pi-a1', minor: 200, failed: false }),
    'refunded twice': ({ books }) => void books.refunds.push({ payment: 'pi-b1', minor: 500, failed: false }),
    'an order of an erased account is refunded in part alone': ({ books }) =>
      void books.refunds.push({ payment: 'pi-c1', minor: 200, failed: false }),
    'an erased account has paid, and its eSIM went back': ({ books }) => {
      for (const esim of books.esims) if (esim.iccid === 'iccid-c1') esim.held = false
    },
    'an erased account has its eSIM and its money': ({ books }) =>
      void books.refunds.push({ payment: 'pi-c1', minor: 500, failed: false }),
    'an erased account has paid, and nobody saw an eSIM, nor has one': (world) => {
      some(world, 'c1').iccids = []
      world.books.esims = world.books.esims.filter(({ iccid }) => iccid !== 'iccid-c1')
    },
    'a top-up of an erased account that is not applied': ({ books, said }) => {
      const topUp = at(
        said.orders.filter(({ isTopUp }) => isTopUp),
        0,
      )
      Object.assign(topUp, { accountId: 'account-cat', answers: 404 })
      for (const each of [...said.events, ...books.deliveries])
        if (each.orderId === topUp.orderId) each.accountId = 'account-cat'
      books.topUps = []
    },
    'delivered, and nobody knows when': (world) => {
      some(world, 'a1').paidAt = null
    },
    'an eSIM that was sold again counts for its second buyer alone': (world) => {
      // Both are delivered, one after the other, and the provider holds one of two purchases.
      const [first, second] = [some(world, 'a1'), some(world, 'e1')]
      first.seenAt = { 'iccid-a1': first.begunAt + 2_000 }
      second.iccids = ['iccid-a1']
      for (const esim of world.books.esims) if (esim.iccid === 'iccid-a1') esim.held = false
      for (const esim of world.books.esims)
        if (esim.iccid === 'iccid-e1') Object.assign(esim, bought('iccid-a1', first.begunAt + 9_000))
    },
    'refunded, and the eSIM kept': (world) => {
      some(world, 'b1').iccids = ['iccid-b1']
      world.books.esims.push({ ...bought('iccid-b1', Number.MAX_SAFE_INTEGER), id: 'b1' })
    },
    'delivered without an eSIM': ({ books }) => void books.esims.splice(0, 1),
    'an eSIM bought twice': ({ books }) =>
      void books.esims.push({ ...bought('iccid-second', Number.MAX_SAFE_INTEGER), id: 'second' }),
    'a top-up applied twice': ({ books }) =>
      void books.topUps.push({ provider: 'airalo', reference: 'e3 again', iccid: 'iccid-e1' }),
    'a top-up that is not applied': ({ books }) => void books.topUps.pop(),
    'a top-up of the eSIM of somebody else': ({ books }) => {
      at(books.topUps, 0).iccid = 'iccid-a1'
    },
    'an order of somebody who is there, and which is not': (world) => {
      some(world, 'a1').answers = 404
    },
    'a top-up of an eSIM that was returned': (world) => {
      some(world, 'e3').topUpOf = 'order-b1'
    },
    'delivered too late': (world) => {
      some(world, 'a1').deliveredAt = (some(world, 'a1').paidAt ?? 0) + 7_200_000
    },
    'a payment for no order': (world) =>
      void world.books.payments.push({ ...payment(world, 'a1'), id: 'pi-stray', orderId: 'order-stray' }),
    'an end that the app backend is not told of': (world) => keepSilent(world, ({ type }) => type === 'order.refunded'),
    'an end that the app backend is told of twice': (world) => {
      const [end] = world.said.events.filter(({ type }) => type === 'order.refunded')
      if (end) tell(world, { ...end, id: 'again' })
    },
    'a repeated refund that the app backend is not told of': (world) => {
      some(world, 'b1').bounces = 1
    },
    'an order of which the app backend is not told': (world) =>
      keepSilent(world, ({ type }) => type === 'order.created'),
    'the app backend is not told that the database was restored': (world) => {
      world.said.losses.push({ from: some(world, 'a1').changedAt + 1_000, until: some(world, 'a1').changedAt + 2_000 })
    },
    'an event is lost by a restore that came later': (world) => {
      const { said } = world
      said.losses.push({ from: some(world, 'b1').changedAt + 1_000, until: some(world, 'b1').changedAt + 2_000 })
      keepSilent(world, ({ type }) => type === 'order.refunded')
      tell(world, event('service.restored'))
    },
    'an event that an endpoint never got': ({ books }) => void books.deliveries.shift(),
    'an event that only one of two endpoints got': (world) => {
      const missed = delivery(world, 'order.delivered', 'some')
      world.books.deliveries = world.books.deliveries.filter((each) => each !== missed)
    },
    'an event of which nobody knows who has sent it': (world) => {
      delivery(world, 'order.created').isSigned = false
    },
    'an event that comes a second time, and without a signature': (world) =>
      void world.books.deliveries.push({ ...delivery(world, 'order.created'), isSigned: false }),
    'an event for which an endpoint has not asked': (world) =>
      void world.books.deliveries.push({ ...delivery(world, 'order.created'), endpoint: 'some' }),
    'an event that the API does not list': (world) =>
      void world.books.deliveries.push({ ...delivery(world, 'order.created'), id: 'of-nobody' }),
    'an event that says something else than the API': (world) => {
      delivery(world, 'order.created').type = 'order.paid'
    },
    'an event about an order with the account of somebody else': (world) => {
      const { id } = Object.assign(delivery(world, 'order.created'), { accountId: 'account-eve' })
      for (const each of world.said.events) if (each.id === id) each.accountId = 'account-eve'
    },
  },
  U3: {
    'no confirmation': ({ books }) => {
      books.mails = books.mails.filter((mail) => !mail.hasQrCode)
    },
    'two confirmations': (world) =>
      void world.books.mails.push({ ...mailOf(world, 'ann', 'ready'), messageId: '<another>' }),
    'one order confirmed twice, and another not at all': (world) => {
      mailOf(world, 'eve', 'ready').text = 'CODE-A1 CODE-E1 Invoice A-1'
    },
    'a confirmation without the eSIM': (world) => {
      mailOf(world, 'eve', 'ready').text = 'Invoice A-4'
    },
    'a refund that is told twice, by two mails': (world) =>
      void world.books.mails.push({ ...mailOf(world, 'ann', 'refund'), messageId: '<refund-again>' }),
    'a top-up that nobody is told of': (world) => {
      world.books.mails = world.books.mails.filter(({ subject }) => !subject.endsWith('more data'))
    },
    'a refund that nobody is told of': (world) => {
      world.books.mails = world.books.mails.filter(({ messageId }) => messageId !== '<refund-b1>')
    },
    'a refund that is told as one that failed': (world) => {
      mailOf(world, 'eve', 'refund').subject = 'Your refund of €5.00 did not get through'
    },
    'a cancellation that nobody is told of': (world) => {
      world.books.mails = world.books.mails.filter(({ subject }) => !subject.includes('cancelled'))
    },
    'an apology that nobody gets': (world) => {
      world.books.mails = world.books.mails.filter(({ subject }) => !subject.startsWith('Sorry'))
    },
    'a withdrawal that is not acknowledged': (world) => {
      world.books.mails = world.books.mails.filter(({ subject }) => !subject.includes('withdrawal'))
    },
    'a refund that is told twice, and another not at all': (world) => {
      for (const mail of world.books.mails) mail.text = mail.text.replace('Credit note A-7', 'Credit note A-2')
    },
    'a cancellation that is told again and again, by other mails': (world) =>
      void [1, 2, 3, 4].map((n) =>
        world.books.mails.push({ ...mailOf(world, 'bob', 'cancelled'), messageId: `<cancelled-${n}>` }),
      ),
    'a withdrawal that is acknowledged twice, by two mails': (world) =>
      void world.books.mails.push({ ...mailOf(world, 'bob', 'withdrawal'), messageId: '<withdrawn-again>' }),
    'a top-up that is told twice, by two mails': (world) =>
      void world.books.mails.push({ ...mailOf(world, 'eve', 'more data'), messageId: '<more-again>' }),
    'a mail that comes twice without a crash': (world) =>
      void world.books.mails.push({ ...mailOf(world, 'ann', 'ready') }),
    'a mail that comes twice, long before a crash': (world) => {
      const first = mailOf(world, 'ann', 'ready')
      world.books.mails.push({ ...first, at: first.at + 3_600_000 })
      world.said.crashes.push({ from: first.at + 1_800_000, until: first.at + 1_801_000 })
    },
    'a push that comes twice': ({ books }) => void books.pushes.push({ ...at(books.pushes, 0) }),
    'a push that comes twice, long after a lost reply': ({ books }) => {
      const first = at(books.pushes, 0)
      books.pushAttempts.push({ token: first.token, at: first.at - 3_600_000, lost: true })
      books.pushes.push({ ...first, at: first.at + 1_000 })
    },
  },
  U4: {
    'a promotion without consent': (world) =>
      void world.books.mails.push({ ...mailOf(world, 'ann', 'Ten'), to: ['bob@people.example'] }),
    'a promotion that comes twice': (world) => void world.books.mails.push({ ...mailOf(world, 'ann', 'Ten') }),
    'a promotion that cannot be stopped': (world) => {
      mailOf(world, 'ann', 'Ten').oneClick = false
    },
  },
  U5: {
    'delivered although nobody approved it': (world) => {
      some(world, 'e1').verdict = null
    },
    'delivered although an operator rejected it': (world) => {
      some(world, 'e2').iccids = ['iccid-e2']
    },
    'bought before it was approved': (world) => {
      some(world, 'e1').decidedAt = some(world, 'e1').begunAt + 60_000
    },
  },
  U6: {
    'a gap': (world) => {
      at(world.said.journal.entries, 7).number = 'A-9'
      some(world, 'd1').documents = ['A-9']
    },
    'a second gap beside the one that a restore has named': (world) => {
      at(world.said.journal.entries, 7).number = 'A-10'
      some(world, 'd1').documents = ['A-10']
      world.said.lostNumbers = 1
    },
    'documents of two orders with each other’s amounts': ({ said }) => {
      at(said.journal.entries, 0).grossMinor = 400
      at(said.journal.entries, 3).grossMinor = 600
    },
    'a number twice': ({ said }) => {
      at(said.journal.entries, 3).number = 'A-3'
    },
    'a document that the journal lacks': (world) => void some(world, 'a1').documents.push('A-9'),
    'no invoice': (world) => {
      some(world, 'e1').documents = []
    },
    'another amount': ({ said }) => {
      at(said.journal.entries, 0).grossMinor = 400
    },
    'a member state of which the One Stop Shop is told another amount': ({ said }) => {
      at(said.oss.states, 0).grossMinor = 501
    },
    'a member state of which the One Stop Shop is not told': ({ said }) => void said.oss.states.pop(),
  },
  P1: {
    'a name': ({ books }) => void books.received.push({ party: 'airalo', text: 'description=Last-bob' }),
    'an encoded address': ({ books }) =>
      void books.received.push({ party: 'esimAccess', text: 'q=bob%40people.example' }),
    'the number of a payment': ({ books }) =>
      void books.received.push({ party: 'airalo', text: 'POST /v2/orders description=pi-a1' }),
    'the id of an order': ({ books }) =>
      void books.received.push({ party: 'esimAccess', text: '{"transactionId":"order-a1"}' }),
    'the id of an account': ({ books }) =>
      void books.received.push({ party: 'airalo', text: 'description=account-bob' }),
    'a Google user': ({ books }) => void books.received.push({ party: 'airalo', text: 'description=google-bob' }),
    'the id of a device': ({ books }) => void books.received.push({ party: 'airalo', text: 'description=device-bob' }),
    'a phone number': (world) => {
      someone(world, 'bob').phone = '+4915112345678'
      world.books.received.push({ party: 'esimAccess', text: '{"phone":"4915112345678"}' })
    },
  },
  P2: {
    'card data': ({ books }) => void books.received.push({ party: 'stripe', text: 'card[number]=4242424242424242' }),
    'a name at Stripe': ({ books }) => void books.received.push({ party: 'stripe', text: 'name=First-ann' }),
    'a card number in a mail': (world) => {
      mailOf(world, 'ann', 'ready').text = 'Your card number is 4242 4242 4242 4242.'
    },
  },
  P3: {
    'an address': ({ books }) => void books.received.push({ party: 'meta', text: 'ann@people.example' }),
    'a hashed address': ({ books }) =>
      void books.received.push({
        party: 'meta',
        text: JSON.stringify({ user_data: { em: [createHash('sha256').update('ann@people.example').digest('hex')] } }),
      }),
    'a hashed name': ({ books }) =>
      void books.received.push({
        party: 'googleAnalytics',
        text: JSON.stringify({ sha256_first_name: createHash('sha256').update('first-bob').digest('base64') }),
      }),
    'a purchase twice, told with another time': ({ books }) =>
      void books.conversions.push({
        party: 'meta',
        text: '{"event_id":"1","value":5,"event_time":2}',
        id: '1',
        instance: null,
      }),
    'a purchase of somebody who did not consent, in place of one who did': ({ books }) => {
      for (const conversion of books.conversions)
        if (conversion.instance === 'instance-ann') conversion.instance = 'instance-bob'
    },
    'a purchase twice': ({ books }) => void books.conversions.push({ ...at(books.conversions, 0) }),
    'a purchase without consent': ({ said }) => {
      at(said.orders, 0).adConsent = false
    },
  },
  P4: {
    'a push to an unknown token': ({ books }) => void books.pushes.push({ at: 0, token: 'token-nobody', content: '' }),
    'a push about an order of somebody else': ({ books }) => {
      at(books.pushes, 0).content = '{"orderId":"order-e1"}'
    },
    'a push with a first name': ({ books }) => {
      at(books.pushes, 0).content = 'Hello First-ann'
    },
    'a push with an address': ({ books }) => {
      at(books.pushes, 0).content = 'ann@people.example'
    },
    'a push after the deletion': (world) =>
      void world.books.pushes.push({
        at: (someone(world, 'cat').deletion?.at ?? 0) + 60_000,
        token: 'token-cat',
        content: '',
      }),
  },
  P5: {
    'a mail to an unknown address': (world) => {
      mailOf(world, 'ann', 'ready').to = ['nobody@people.example']
    },
    'a mail with the name of somebody else': (world) => {
      mailOf(world, 'ann', 'ready').text = 'Hello First-bob. Invoice A-1'
    },
    'a mail with the name of somebody else in its subject': (world) => {
      mailOf(world, 'ann', 'refund').subject += ' for First-bob'
    },
    'a mail to operators with the name of somebody': ({ books }) => {
      for (const mail of books.mails) if (mail.subject.startsWith('Day')) mail.text = 'Last-bob'
    },
    'a mail with the eSIM of somebody else': (world) => {
      mailOf(world, 'bob', 'ready').text += ' CODE-A1'
    },
    'a mail to two persons': (world) => void mailOf(world, 'ann', 'ready').to.push('bob@people.example'),
    'a transactional mail with one click': (world) => {
      mailOf(world, 'ann', 'ready').oneClick = true
    },
  },
  R1: {
    'a warning that did not come': (world) => {
      world.books.mails = world.books.mails.filter(({ subject }) => !subject.endsWith('in 30 days'))
    },
    'a warning twice in place of another one': (world) => {
      mailOf(world, 'dan', 'in 30').subject = mailOf(world, 'dan', 'in 60').subject
    },
    'an order of an account past its period that is still shown': (world) => {
      some(world, 'd1').answers = 200
    },
    'an account past its period of whose end nobody is told': (world) => {
      world.books.mails = world.books.mails.filter((mail) => mail !== mailOf(world, 'dan', 'deleted'))
    },
    'an account past its period of whose end its person is told twice': (world) =>
      void world.books.mails.push({ ...mailOf(world, 'dan', 'deleted'), messageId: '<deleted-again>' }),
    'a warning to somebody who came back': (world) =>
      void world.books.mails.push({ ...mailOf(world, 'dan', 'in 60'), to: ['bob@people.example'] }),
    'an account past its period': (world) => {
      someone(world, 'dan').seen.status = 200
    },
    'an account past its period that Apple has': ({ books }) => {
      for (const grant of books.grants) if (grant.subject === 'apple-dan') grant.revoked = false
    },
    'an account past its period that Stripe has': ({ books }) => void books.customers.push('cus-dan'),
  },
  R2: {
    'a name in the journal': ({ said }) => {
      said.journal.text = 'A-1,Last-bob'
    },
    'a document past its period': ({ said }) => {
      said.journalAfterPeriod = { text: '', entries: said.journal.entries.slice(0, 1) }
    },
  },
  R3: {
    'a backup past its period': ({ said }) => {
      at(said.backups, 0).kept = true
    },
  },
  G1: {
    "somebody else's data": (world) => {
      someone(world, 'bob').seen.email = 'ann@people.example'
    },
    "somebody else's first name": (world) => {
      someone(world, 'bob').seen.firstName = 'First-ann'
    },
    "somebody else's last name": (world) => {
      someone(world, 'bob').seen.lastName = 'Last-ann'
    },
  },
  G2: {
    'a correction that is lost': (world) => {
      someone(world, 'ann').seen.firstName = 'Before'
    },
  },
  G3: {
    'an account that is there': (world) => {
      someone(world, 'cat').seen.status = 200
    },
    'Sign in with Apple that is linked': ({ books }) => {
      at(books.grants, 1).revoked = false
    },
    'Sign in with Apple that is linked twice, once by a code that was spent in vain': (world) => {
      someone(world, 'cat').spentCodes = 1
      at(world.books.grants, 1).revoked = false
      world.books.grants.push({ ...at(world.books.grants, 1) })
    },
    'a Firebase user that is there': ({ books }) => void books.firebaseUsers.push('uid-cat'),
    'a Stripe customer that is there': ({ books }) => void books.customers.push('cus-cat'),
    'a party that has not deleted': (world) => void someone(world, 'cat').deletion?.pending.push('apple'),
    'an app backend that was not told': (world) => keepSilent(world, ({ receiptId }) => receiptId === 'receipt-cat'),
    'mails afterwards': (world) =>
      void [1, 2, 3].map((n) =>
        world.books.mails.push({ ...mailOf(world, 'cat', 'deleted'), messageId: `<${n}>`, subject: `Offer ${n}` }),
      ),
    'a promotion afterwards': (world) =>
      void world.books.mails.push({
        ...mailOf(world, 'ann', 'Ten'),
        to: ['cat@people.example'],
        at: mailOf(world, 'cat', 'deleted').at,
      }),
    'a holder of data that is left to operators': (world) => void someone(world, 'cat').deletion?.left.push('database'),
    'an account that a restore brings back for a while': (world) => {
      const { deletion } = someone(world, 'cat')
      if (deletion) deletion.wasRestored = true
    },
    'an event about somebody who was erased': (world) => {
      const { deletion, accountId } = someone(world, 'cat')
      const late = { ...delivery(world, 'order.created'), accountId, at: (deletion?.at ?? 0) + 60_000 }
      world.books.deliveries.push({ ...late, id: 'late', orderId: 'order-c1' })
    },
    'no last mail': (world) => {
      world.books.mails = world.books.mails.filter((mail) => mail !== mailOf(world, 'cat', 'deleted'))
    },
    'an order that is still shown': (world) => {
      some(world, 'c1').answers = 200
    },
    "somebody else's Stripe customer is deleted": ({ books }) => {
      books.customers = books.customers.filter((customer) => customer !== 'cus-ann')
    },
    'somebody else is erased': (world) => {
      someone(world, 'bob').seen.status = 404
    },
    "somebody else's identity is revoked": ({ books }) => {
      at(books.grants, 0).revoked = true
    },
    "somebody else's Firebase user is deleted": ({ books }) => void books.firebaseUsers.shift(),
  },
  G4: {
    'a consent that stays': (world) =>
      void someone(world, 'ann').consents.push({ at: Number.MAX_SAFE_INTEGER, granted: false }),
    'a promotion afterwards': (world) => {
      const ann = someone(world, 'ann')
      ann.consents.push({ at: ann.signedUpAt + 200, granted: false })
      ann.seen.promotions = false
    },
  },
  G5: {
    'another form': (world) => void exportOf(world, 'ann').faults.push('/orders must be array'),
    "somebody else's account": (world) => {
      exportOf(world, 'ann').account.id = 'account-bob'
    },
    "somebody else's order": (world) =>
      void exportOf(world, 'ann').orders.push({ ...at(exportOf(world, 'ann').orders, 0), id: 'order-b1' }),
    'an order twice': (world) => void exportOf(world, 'ann').orders.push(at(exportOf(world, 'ann').orders, 0)),
  },
  G6: {
    'no acknowledgement': ({ books }) => {
      books.mails = books.mails.filter(({ to }) => !to.includes('r@elsewhere.example'))
    },
    'no answer': ({ books }) => {
      books.mails = books.mails.filter(({ subject }) => !subject.includes('answer'))
    },
    'a second acknowledgement in place of the answer': ({ books }) => {
      for (const mail of books.mails)
        if (mail.subject.startsWith('Our answer')) mail.subject = 'We have your privacy request'
    },
    'a mail that nobody has asked for': (world) =>
      void world.books.mails.push({
        ...mailOf(world, 'q', 'Our answer'),
        subject: 'Your privacy request takes longer',
        messageId: '<longer>',
      }),
    'no reminder': ({ books }) => {
      books.mails = books.mails.filter(({ subject }) => !subject.startsWith('Day'))
    },
  },
  K1: {
    'the account of a child': (world) => {
      someone(world, 'kid').seen.status = 200
    },
    'a child that is erased as anybody else': (world) => {
      const { deletion } = someone(world, 'kid')
      if (deletion) deletion.reason = 'requested'
    },
    'a child whose deletion is left to operators': (world) => void someone(world, 'kid').deletion?.left.push('apple'),
    'a child whom a party has, although nothing is pending': ({ books }) => void books.firebaseUsers.push('uid-kid'),
    'a child that somebody still has': (world) => void someone(world, 'kid').deletion?.pending.push('firebase'),
  },
  N1: {
    'a policy that is not posted': ({ said }) => {
      at(said.policies, 0).onPage = false
    },
  },
  N2: {
    'no notice': (world) => {
      world.books.mails = world.books.mails.filter(
        ({ to, subject }) => !(to[0]?.startsWith('bob') && subject.includes('policy')),
      )
    },
    'two notices': (world) => void world.books.mails.push({ ...mailOf(world, 'bob', 'policy'), messageId: '<again>' }),
    'a notice too late': (world) => {
      mailOf(world, 'bob', 'policy').at += 20 * dayMs
    },
    'in force too early': ({ said }) => {
      at(said.policies, 0).reached = at(said.policies, 0).effectiveAt - 1
    },
  },
}
