/** U3, confirmations and package updates are sent once: texts of mails about an order. */
export const order = {
  reason: 'You are getting this e-mail because of an order you placed with AMA eSIM.',
  hello: 'Hello. {text}',
  helloName: 'Hello {firstName}. {text}',
  seeEsim: 'See your eSIM',

  'fact.destination': 'Destination',
  'fact.data': 'Data',
  'fact.validFor': 'Valid for',
  'fact.validUntil': 'Valid until',
  'fact.ended': 'Ended',
  'fact.used': 'Used',
  'fact.total': 'Total',
  'fact.invoice': 'Invoice',
  'fact.refunded': 'Refunded',
  'fact.creditNote': 'Credit note',
  'fact.agreed': 'You agreed',
  quoted: '“{text}” ({at})',
  aDay: '{amount} a day',
  usedOf: '{used} of {total}',

  'ready.subject': '{count, plural, one {Your eSIM for {place} is ready} other {Your eSIMs for {place} are ready}}',
  'ready.preview': 'Scan the code or tap the link to install it.',
  'ready.thanks':
    '{count, plural, one {Thank you for your order. Install it while you have Wi-Fi, best before you leave.} other {Thank you for your order. Install them while you have Wi-Fi, best before you leave.}}',
  'ready.open': 'Open the install page',
  'ready.byHand': 'On Android, or by hand',
  'ready.step1':
    'Open Settings, then Network & internet and SIMs (Samsung: Connections and SIM manager), and add an eSIM.',
  'ready.step2': 'Scan the code above, or choose to enter the details and copy them from this e-mail.',
  'ready.step3': 'Switch on mobile data and data roaming for the new eSIM when you arrive.',
  'ready.keep':
    'Each code works once, on one phone. Do not pass this e-mail on, and do not delete the eSIM from the phone.',
  'ready.order': 'Your order',
  'ready.iphone':
    'Are you reading this on the iPhone that will use it? <link>Install on this iPhone</link> (iOS 17.4 or later).',

  'held.subject': 'We are checking your order for {place}',
  'held.text': 'We have received your payment. Before we deliver this order, one of our team checks it.',
  'held.why':
    'We check orders by hand when the bank or our own rules see something unusual, such as several purchases in a short time. This protects the owners of cards. You do not need to do anything.',
  'held.until': 'If we have not decided by {at}, you get your money back automatically.',

  'delayed.subject': 'Your order for {place} is taking a little longer',
  'delayed.text':
    'We have received your payment and are waiting for the network to issue {count, plural, one {your eSIM. You do not need to do anything: we send it by e-mail as soon as we have it.} other {your # eSIMs. You do not need to do anything: we send them by e-mail as soon as we have them.}}',
  'delayed.topUp':
    'We have received your payment and are waiting for the network to add the data to your eSIM. You do not need to do anything: we write to you as soon as it is there.',
  'delayed.until': 'If it is not there by {at}, you get your money back automatically.',

  'refund.subject': 'Your refund of {amount}',
  'refund.gone':
    '{count, plural, one {The eSIM can no longer be installed.} other {The # eSIMs can no longer be installed.}}',
  'refund.bank': 'Your bank usually shows it within 5 to 10 days, on the card or wallet you paid with.',
  'refund.not_delivered_in_time': 'We could not deliver this order in time, so we have refunded your payment.',
  'refund.out_of_stock': 'We can no longer get what you ordered, so we have refunded your payment.',
  'refund.rejected_in_review': 'We could not accept this order, so we have refunded it.',
  'refund.review_timed_out': 'We could not check this order in time, so we have refunded it.',
  'refund.cancelled_by_customer': 'You cancelled this order, so we have refunded it.',
  'refund.returned_unused': 'You returned this order unused, so we have refunded your payment.',
  'refund.cancelled_by_operator': 'Our support has cancelled this order, and we have refunded your payment.',
  'refund.returned_by_operator': 'Our support has taken this unused order back, and we have refunded your payment.',
  'refund.ended_by_provider':
    'The network has ended what you ordered before you could use it, so we have refunded your payment.',
  'refund.fraud_warning':
    'The bank of the card has reported this payment as possibly fraudulent, so we have refunded it. An eSIM of this order can no longer be installed.',
  'refund.withdrawn': 'You withdrew from this contract, so we have refunded your payment.',
  'refund.refunded_elsewhere':
    'Your payment was refunded before this order was delivered, so it was not delivered. An eSIM of this order cannot be installed.',
  'refund.paid_after_cancel': 'Your payment arrived after the order had ended, so we have refunded it.',
  'refund.topUp': 'The data could not be added to your eSIM, so we have refunded your payment.',
  'refund.topUpTakenBack': 'We have refunded your payment for this data. You keep your eSIM.',
  'refund.topUpEnded':
    'The network has ended your eSIM before you could use this data, so we have refunded your payment for it.',
  'refund.topUpWarned':
    'The bank of the card has reported this payment as possibly fraudulent, so we have refunded it. Data that was not added yet will not be added to your eSIM.',
  'refund.topUpWithdrawn': 'You withdrew from this contract, so we have refunded your payment for this data.',
  'refund.topUpElsewhere': 'Your payment was refunded before this data was on your eSIM, so it was not added.',
  'partial.kept':
    'We have refunded {amount} of what you paid for this order. You keep what you ordered: nothing changes for it.',
  'partial.returned': 'We have refunded {amount} of what you paid for this order. The order was returned unused.',

  'apology.subject': 'Sorry about your order for {place}',
  'apology.text':
    'An outage on our side got in the way of your order. That is our fault, and we are sorry. You will get another e-mail as soon as your order is delivered or your money is on its way back; you do not need to do anything.',
  'apology.write': 'If something is still not right, please write to {address}.',
  'refundFailed.subject': 'Your refund of {amount} did not get through',
  'refundFailed.text':
    'We owe you this money and tried to refund it, but your bank did not accept it. Perhaps the card has expired or the account is closed.',
  'refundFailed.write':
    'Please write to {address}, and we will find another way. Never send us a card number by e-mail.',

  'cancelled.subject': 'Your order for {place} is cancelled',
  'cancelled.text': 'Nothing was charged. If your bank shows a reserved amount, it disappears within a few days.',
  'notAccepted.text':
    'We could not accept the payment for this order, so nothing was delivered. We are looking into it and will write to you.',
  'notAccepted.write':
    'If you have a question meanwhile, please write to {address}. Never send us a card number by e-mail.',

  'withdrawal.subject': 'We have received your withdrawal',
  'withdrawal.text':
    'This e-mail is the acknowledgement of your withdrawal. You do not need to do anything else. Please keep it.',
  'withdrawal.money': 'We refund you the way you paid, less earlier refunds.',
  'withdrawal.statement': 'Your statement',
  'withdrawal.name': 'Name',
  'withdrawal.contract': 'Contract',
  'withdrawal.confirmedTo': 'Confirmed to',
  'withdrawal.received': 'Received',
  'withdrawal.youGetBack': 'You get back',
  'withdrawal.by': 'By',

  'topUp.subject': 'Your eSIM for {place} has more data',
  'topUp.text': 'Thank you. The data is on your eSIM already: there is nothing to install.',

  'esim.in_use.subject': 'Your eSIM for {place} is connected',
  'esim.in_use.text': 'Your eSIM has gone online. Have a good trip.',
  'esim.in_use.action': 'Follow your usage',
  'esim.low_data.subject': '80% of your data for {place} is used',
  'esim.low_data.text':
    'Four fifths of your data are used. You can add more while the eSIM is valid, without installing anything.',
  'esim.low_data.noMore':
    'Four fifths of your data are used. This eSIM takes no more: if you need more, the app has new ones.',
  'esim.low_data.action': 'Add data',
  'esim.used_up.subject': 'Your data for {place} is used up',
  'esim.used_up.text': 'All your data is used. You can add more while the eSIM is valid, without installing anything.',
  'esim.used_up.noMore': 'All your data is used. This eSIM takes no more: if you need more, the app has new ones.',
  'esim.used_up.action': 'Add data',
  'esim.last_day.subject': 'Your eSIM for {place} is valid for one more day',
  'esim.last_day.text': 'Your eSIM ends within a day. What is left of its data ends with it.',
  'esim.last_day.action': 'See your eSIM',
  'esim.expired.subject': 'Your eSIM for {place} has expired',
  'esim.expired.text': 'Your eSIM has ended. You can delete it from your phone.',
  'esim.expired.action': 'See your eSIM',
  'esim.ended_early.subject': 'Your eSIM for {place} was switched off',
  'esim.ended_early.text':
    'The network has ended your eSIM before its time. We are looking into it. If it was unused, we refund your payment; otherwise write to us if you still needed it.',
  'esim.ended_early.action': 'See your eSIM',
} as const
