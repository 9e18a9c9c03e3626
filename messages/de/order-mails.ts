import type { order as english } from '../en/order-mails.ts'
import type { Translation } from '../translation.ts'

/** Subjects name the destination after a colon: in German some countries have an article, and CLDR has none. */
export const order = {
  reason: 'Sie erhalten diese E-Mail wegen einer Bestellung, die Sie bei AMA eSIM aufgegeben haben.',
  hello: 'Guten Tag. {text}',
  helloName: 'Guten Tag, {firstName}. {text}',
  seeEsim: 'eSIM ansehen',

  'fact.destination': 'Reiseziel',
  'fact.data': 'Datenvolumen',
  'fact.validFor': 'Gültigkeit',
  'fact.validUntil': 'Gültig bis',
  'fact.ended': 'Abgelaufen am',
  'fact.used': 'Verbraucht',
  'fact.total': 'Gesamtbetrag',
  'fact.invoice': 'Rechnung',
  'fact.refunded': 'Erstattet',
  'fact.creditNote': 'Rechnungskorrektur',
  'fact.agreed': 'Ihre Zustimmung',
  quoted: '„{text}“ ({at})',
  aDay: '{amount} pro Tag',
  usedOf: '{used} von {total}',

  'ready.subject': '{count, plural, one {Ihre eSIM ist bereit: {place}} other {Ihre eSIMs sind bereit: {place}}}',
  'ready.preview': 'Scannen Sie den Code oder tippen Sie auf den Link, um sie zu installieren.',
  'ready.thanks':
    '{count, plural, one {Vielen Dank für Ihre Bestellung. Installieren Sie die eSIM, solange Sie WLAN haben, am besten vor der Abreise.} other {Vielen Dank für Ihre Bestellung. Installieren Sie die eSIMs, solange Sie WLAN haben, am besten vor der Abreise.}}',
  'ready.open': 'Installationsseite öffnen',
  'ready.byHand': 'Unter Android oder von Hand',
  'ready.step1':
    'Öffnen Sie „Einstellungen“, dann „Netzwerk & Internet“ und „SIMs“ (Samsung: „Verbindungen“ und „SIM-Manager“), und fügen Sie eine eSIM hinzu.',
  'ready.step2':
    'Scannen Sie den Code oben, oder wählen Sie die Eingabe von Hand und kopieren Sie die Angaben aus dieser E-Mail.',
  'ready.step3': 'Schalten Sie nach der Ankunft für die neue eSIM mobile Daten und Datenroaming ein.',
  'ready.keep':
    'Jeder Code funktioniert einmal und für ein Telefon. Geben Sie diese E-Mail nicht weiter, und löschen Sie die eSIM nicht vom Telefon.',
  'ready.order': 'Ihre Bestellung',
  'ready.iphone':
    'Lesen Sie dies auf dem iPhone, das die eSIM nutzen soll? <link>Auf diesem iPhone installieren</link> (ab iOS 17.4).',

  'held.subject': 'Wir prüfen Ihre Bestellung: {place}',
  'held.text': 'Wir haben Ihre Zahlung erhalten. Bevor wir liefern, sieht sich jemand von uns diese Bestellung an.',
  'held.why':
    'Wir prüfen Bestellungen von Hand, wenn die Bank oder unsere eigenen Regeln etwas Ungewöhnliches sehen, zum Beispiel mehrere Käufe in kurzer Zeit. Das schützt die Inhaber von Karten. Sie brauchen nichts zu tun.',
  'held.until': 'Haben wir bis zum {at} nicht entschieden, erhalten Sie Ihr Geld automatisch zurück.',

  'delayed.subject': 'Ihre Bestellung dauert etwas länger: {place}',
  'delayed.text':
    'Wir haben Ihre Zahlung erhalten und warten darauf, dass das Netz {count, plural, one {Ihre eSIM} other {Ihre # eSIMs}} ausgibt. Sie brauchen nichts zu tun: Wir schicken sie Ihnen per E-Mail, sobald wir sie haben.',
  'delayed.topUp':
    'Wir haben Ihre Zahlung erhalten und warten darauf, dass das Netz das Datenvolumen auf Ihre eSIM bucht. Sie brauchen nichts zu tun: Wir schreiben Ihnen, sobald es da ist.',
  'delayed.until': 'Gelingt das bis zum {at} nicht, erhalten Sie Ihr Geld automatisch zurück.',

  'refund.subject': 'Ihre Erstattung über {amount}',
  'refund.gone':
    '{count, plural, one {Die eSIM kann nicht mehr installiert werden.} other {Die # eSIMs können nicht mehr installiert werden.}}',
  'refund.bank':
    'Ihre Bank zeigt den Betrag meist innerhalb von 5 bis 10 Tagen an, auf der Karte oder in der Wallet, mit der Sie bezahlt haben.',
  'refund.not_delivered_in_time':
    'Wir konnten diese Bestellung nicht rechtzeitig liefern. Deshalb haben wir Ihnen den Betrag erstattet.',
  'refund.out_of_stock':
    'Wir können nicht mehr beschaffen, was Sie bestellt haben. Deshalb haben wir Ihnen den Betrag erstattet.',
  'refund.rejected_in_review':
    'Wir konnten diese Bestellung nicht annehmen und haben Ihnen deshalb den Betrag erstattet.',
  'refund.review_timed_out':
    'Wir konnten diese Bestellung nicht rechtzeitig prüfen und haben Ihnen deshalb den Betrag erstattet.',
  'refund.cancelled_by_customer': 'Sie haben diese Bestellung storniert. Wir haben Ihnen den Betrag erstattet.',
  'refund.returned_unused': 'Sie haben diese Bestellung unbenutzt zurückgegeben. Wir haben Ihnen den Betrag erstattet.',
  'refund.cancelled_by_operator': 'Unser Support hat diese Bestellung storniert. Wir haben Ihnen den Betrag erstattet.',
  'refund.returned_by_operator':
    'Unser Support hat diese unbenutzte Bestellung zurückgenommen. Wir haben Ihnen den Betrag erstattet.',
  'refund.ended_by_provider':
    'Das Netz hat beendet, was Sie bestellt haben, bevor Sie es nutzen konnten. Deshalb haben wir Ihnen den Betrag erstattet.',
  'refund.fraud_warning':
    'Die Bank der Karte hat diese Zahlung als möglicherweise betrügerisch gemeldet. Deshalb haben wir sie erstattet. Eine eSIM dieser Bestellung kann nicht mehr installiert werden.',
  'refund.withdrawn': 'Sie haben diesen Vertrag widerrufen. Wir haben Ihnen den Betrag erstattet.',
  'refund.refunded_elsewhere':
    'Ihre Zahlung wurde erstattet, bevor diese Bestellung geliefert war. Deshalb haben wir sie nicht geliefert. Eine eSIM dieser Bestellung kann nicht installiert werden.',
  'refund.paid_after_cancel':
    'Ihre Zahlung ist eingegangen, nachdem die Bestellung schon beendet war. Deshalb haben wir Ihnen den Betrag erstattet.',
  'refund.topUp':
    'Das Datenvolumen konnte nicht auf Ihre eSIM gebucht werden. Deshalb haben wir Ihnen den Betrag erstattet.',
  'refund.topUpTakenBack': 'Wir haben Ihnen den Betrag für dieses Datenvolumen erstattet. Ihre eSIM behalten Sie.',
  'refund.topUpEnded':
    'Das Netz hat Ihre eSIM beendet, bevor Sie dieses Datenvolumen nutzen konnten. Deshalb haben wir Ihnen den Betrag dafür erstattet.',
  'refund.topUpWarned':
    'Die Bank der Karte hat diese Zahlung als möglicherweise betrügerisch gemeldet. Deshalb haben wir sie erstattet. Datenvolumen, das noch nicht gebucht war, wird nicht mehr auf Ihre eSIM gebucht.',
  'refund.topUpWithdrawn':
    'Sie haben diesen Vertrag widerrufen. Wir haben Ihnen den Betrag für dieses Datenvolumen erstattet.',
  'refund.topUpElsewhere':
    'Ihre Zahlung wurde erstattet, bevor dieses Datenvolumen auf Ihrer eSIM war. Deshalb wurde es nicht gebucht.',
  'partial.kept':
    'Wir haben Ihnen von dem Betrag, den Sie für diese Bestellung bezahlt haben, {amount} erstattet. Was Sie bestellt haben, behalten Sie: Daran ändert sich nichts.',
  'partial.returned':
    'Wir haben Ihnen von dem Betrag, den Sie für diese Bestellung bezahlt haben, {amount} erstattet. Die Bestellung wurde unbenutzt zurückgegeben.',

  'apology.subject': 'Bitte entschuldigen Sie die Störung: {place}',
  'apology.text':
    'Eine Störung bei uns hat Ihre Bestellung beeinträchtigt. Das ist unser Fehler, und wir bitten um Entschuldigung. Sobald Ihre Bestellung geliefert ist oder Ihr Geld zurückkommt, erhalten Sie eine weitere E-Mail; Sie müssen nichts tun.',
  'apology.write': 'Ist danach noch etwas nicht in Ordnung, schreiben Sie bitte an {address}.',
  'refundFailed.subject': 'Ihre Erstattung über {amount} kam nicht an',
  'refundFailed.text':
    'Wir schulden Ihnen diesen Betrag und wollten ihn erstatten, aber Ihre Bank hat ihn nicht angenommen. Vielleicht ist die Karte abgelaufen oder das Konto geschlossen.',
  'refundFailed.write':
    'Bitte schreiben Sie an {address}, dann finden wir einen anderen Weg. Schicken Sie uns nie eine Kartennummer per E-Mail.',

  'cancelled.subject': 'Ihre Bestellung ist storniert: {place}',
  'cancelled.text':
    'Es wurde nichts abgebucht. Zeigt Ihre Bank einen reservierten Betrag an, verschwindet er innerhalb weniger Tage.',
  'notAccepted.text':
    'Wir konnten die Zahlung für diese Bestellung nicht annehmen. Deshalb wurde nichts geliefert. Wir gehen der Sache nach und schreiben Ihnen.',
  'notAccepted.write':
    'Wenn Sie inzwischen eine Frage haben, schreiben Sie bitte an {address}. Schicken Sie uns nie eine Kartennummer per E-Mail.',

  'withdrawal.subject': 'Wir haben Ihren Widerruf erhalten',
  'withdrawal.text':
    'Mit dieser E-Mail bestätigen wir den Eingang Ihres Widerrufs. Sie brauchen nichts weiter zu tun. Bitte bewahren Sie sie auf.',
  'withdrawal.money':
    'Sie erhalten das Geld auf dem Weg zurück, auf dem Sie bezahlt haben, abzüglich früherer Erstattungen.',
  'withdrawal.statement': 'Ihre Erklärung',
  'withdrawal.name': 'Name',
  'withdrawal.contract': 'Vertrag',
  'withdrawal.confirmedTo': 'Bestätigt an',
  'withdrawal.received': 'Eingegangen',
  'withdrawal.youGetBack': 'Sie erhalten zurück',
  'withdrawal.by': 'Spätestens am',

  'topUp.subject': 'Ihre eSIM hat mehr Datenvolumen: {place}',
  'topUp.text': 'Vielen Dank. Das Datenvolumen ist schon auf Ihrer eSIM: Sie müssen nichts installieren.',

  'esim.in_use.subject': 'Ihre eSIM ist verbunden: {place}',
  'esim.in_use.text': 'Ihre eSIM ist online. Gute Reise!',
  'esim.in_use.action': 'Verbrauch ansehen',
  'esim.low_data.subject': '80 % Ihres Datenvolumens sind verbraucht: {place}',
  'esim.low_data.text':
    'Vier Fünftel Ihres Datenvolumens sind verbraucht. Sie können mehr hinzufügen, solange die eSIM gültig ist, ohne etwas zu installieren.',
  'esim.low_data.noMore':
    'Vier Fünftel Ihres Datenvolumens sind verbraucht. Diese eSIM kann nicht aufgeladen werden: Wenn Sie mehr brauchen, finden Sie in der App neue.',
  'esim.low_data.action': 'Datenvolumen hinzufügen',
  'esim.used_up.subject': 'Ihr Datenvolumen ist aufgebraucht: {place}',
  'esim.used_up.text':
    'Ihr ganzes Datenvolumen ist aufgebraucht. Sie können mehr hinzufügen, solange die eSIM gültig ist, ohne etwas zu installieren.',
  'esim.used_up.noMore':
    'Ihr ganzes Datenvolumen ist aufgebraucht. Diese eSIM kann nicht aufgeladen werden: Wenn Sie mehr brauchen, finden Sie in der App neue.',
  'esim.used_up.action': 'Datenvolumen hinzufügen',
  'esim.last_day.subject': 'Ihre eSIM ist noch einen Tag gültig: {place}',
  'esim.last_day.text':
    'Ihre eSIM läuft innerhalb eines Tages ab. Was von ihrem Datenvolumen übrig ist, verfällt dann.',
  'esim.last_day.action': 'eSIM ansehen',
  'esim.expired.subject': 'Ihre eSIM ist abgelaufen: {place}',
  'esim.expired.text': 'Ihre eSIM ist abgelaufen. Sie können sie von Ihrem Telefon löschen.',
  'esim.expired.action': 'eSIM ansehen',
  'esim.ended_early.subject': 'Ihre eSIM wurde abgeschaltet: {place}',
  'esim.ended_early.text':
    'Das Netz hat Ihre eSIM vorzeitig beendet. Wir gehen der Sache nach. War sie unbenutzt, erstatten wir Ihnen den Betrag; andernfalls schreiben Sie uns, wenn Sie sie noch gebraucht hätten.',
  'esim.ended_early.action': 'eSIM ansehen',
} satisfies Translation<typeof english>
