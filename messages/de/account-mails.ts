import type { mail as english } from '../en/account-mails.ts'
import type { Translation } from '../translation.ts'

export const mail = {
  'signIn.subject': 'Ihr Anmeldelink',
  'signIn.preview': 'Er funktioniert einmal, {minutes, plural, one {# Minute} other {# Minuten}} lang.',
  'signIn.reason': 'Jemand möchte sich mit dieser Adresse anmelden.',
  'signIn.title': 'Anmelden bei AMA eSIM',
  'signIn.text': 'Der Link funktioniert einmal, {minutes, plural, one {# Minute} other {# Minuten}} lang.',
  'signIn.action': 'Anmelden',
  'signIn.note':
    'Wenn Sie das nicht waren, brauchen Sie nichts zu tun: Ohne diese E-Mail kann sich niemand anmelden. Wir fragen Sie nie nach dem Link.',

  'emailChange.reason': 'Jemand, der in Ihrem AMA-eSIM-Konto angemeldet war, möchte die Adresse des Kontos ändern.',
  'emailChange.old.subject': 'Möchten Sie Ihre Adresse ändern?',
  'emailChange.old.preview': 'Stimmen Sie nur zu, wenn Sie darum gebeten haben.',
  'emailChange.old.text':
    'Wir wurden gebeten, die E-Mail-Adresse Ihres Kontos zu ändern. Stimmen Sie hier und in der E-Mail an die neue Adresse zu, beides innerhalb von {hours, plural, one {# Stunde} other {# Stunden}}.',
  'emailChange.old.action': 'Der Änderung zustimmen',
  'emailChange.old.note':
    'Wenn Sie nicht darum gebeten haben, stimmen Sie nicht zu: Melden Sie sich unter {url} überall ab, was die Änderung beendet, und schreiben Sie an {address}. Ohne Sie ändert sich nichts.',
  'emailChange.new.subject': 'Bestätigen Sie Ihre neue Adresse',
  'emailChange.new.preview': 'Mit einem Klick bestätigen Sie, dass sie Ihnen gehört.',
  'emailChange.new.text':
    'Diese Adresse wurde für ein AMA-eSIM-Konto angegeben. Bestätigen Sie innerhalb von {hours, plural, one {# Stunde} other {# Stunden}}, dass sie Ihnen gehört.',
  'emailChange.new.action': 'Diese Adresse bestätigen',
  'emailChange.new.note':
    'Wenn Sie nicht wissen, worum es geht, brauchen Sie nichts zu tun: Wir schreiben nicht noch einmal an diese Adresse.',
  'emailChange.done.subject': 'Ihre Adresse wurde geändert',
  'emailChange.done.preview': 'Ab jetzt schreiben wir an Ihre neue Adresse.',
  'emailChange.done.text': 'Ab jetzt schreiben wir an Ihre neue Adresse und nicht mehr an diese.',
  'emailChange.done.note': 'Wenn Sie das nicht waren, schreiben Sie sofort an {address}.',

  'apple.subject': '„Mit Apple anmelden“ ist aus',
  'apple.preview': 'Ihr Konto und Ihre eSIMs sind noch da.',
  'apple.reason': 'Sie erhalten diese E-Mail, weil AMA eSIM aus Ihrem Apple Account entfernt wurde.',
  'apple.text':
    'Sie haben AMA eSIM aus Ihrem Apple Account entfernt. Wir haben die Verbindung deshalb gelöscht. Ihr Konto und Ihre eSIMs sind noch da: Melden Sie sich mit Ihrer E-Mail-Adresse an oder erneut mit Apple, um beides wieder zu verbinden.',
  'apple.ended':
    'Sie sind auf allen Geräten abgemeldet. Eine Änderung Ihrer E-Mail-Adresse, um die Sie gebeten haben, läuft weiter: Sie braucht die Zustimmung Ihrer jetzigen Adresse.',
  'apple.delete': 'Wenn Sie Ihr Konto löschen wollten, können Sie das in der App tun oder unter {url}.',
  'apple.note':
    'Wenn Sie eine Weiterleitungsadresse von Apple verwendet haben, kommen E-Mails dort vielleicht nicht mehr an. Geben Sie in der App oder unter {url} eine andere Adresse an.',

  'inactive.subject': 'Ihr AMA-eSIM-Konto wird in {days, plural, one {# Tag} other {# Tagen}} gelöscht',
  'inactive.preview': 'Melden Sie sich einmal an, um es zu behalten.',
  'inactive.reason': 'Sie erhalten diese E-Mail, weil Sie ein AMA-eSIM-Konto haben. Sie ist keine Werbung.',
  'inactive.text':
    'Sie haben Ihr Konto seit fast drei Jahren nicht benutzt. Länger bewahren wir Konten nicht auf. Deshalb löschen wir es am {day}.',
  'inactive.keep': 'Wenn Sie es behalten möchten, melden Sie sich vor diesem Tag einmal an, in der App oder hier:',
  'inactive.action': 'Mein Konto behalten',
  'inactive.note':
    'Wenn Sie nichts tun, werden Ihre personenbezogenen Daten endgültig gelöscht. Rechnungen bleiben so lange, wie das Gesetz es verlangt, ohne Ihren Namen.',

  'deleted.subject': 'Ihr Konto ist gelöscht',
  'deleted.preview': 'Dies ist unsere letzte E-Mail an Sie.',
  'deleted.reason': 'Dies ist unsere letzte E-Mail an diese Adresse.',
  'deleted.cause.requested': 'Wie von Ihnen gewünscht, haben wir Ihr Konto und Ihre personenbezogenen Daten gelöscht.',
  'deleted.cause.inactivity':
    'Ihr Konto wurde drei Jahre lang nicht benutzt. Deshalb haben wir es und Ihre personenbezogenen Daten gelöscht.',
  'deleted.cause.sign_in_account_deleted':
    'Der Apple Account, mit dem Sie sich angemeldet haben, wurde gelöscht. Deshalb haben wir Ihr Konto und Ihre personenbezogenen Daten gelöscht.',
  'deleted.cause.child':
    'Wir haben erfahren, dass dieses Konto einem Kind unter 13 Jahren gehörte. Deshalb haben wir es und seine personenbezogenen Daten gelöscht.',
  'deleted.stays':
    'Rechnungen bleiben so lange, wie das Gesetz es verlangt, ohne Ihren Namen. Sicherungskopien, die Ihre Daten noch enthalten, sind bis zum {day} gelöscht und werden nie benutzt, um sie wiederherzustellen.',
  'deleted.apple':
    'Eines können nur Sie tun: Öffnen Sie auf Ihrem iPhone „Einstellungen“, tippen Sie auf Ihren Namen, dann auf „Mit Apple anmelden“, und entfernen Sie AMA eSIM aus der Liste.',
  'deleted.on': 'Gelöscht am',
  'deleted.receipt': 'Beleg',
  'deleted.action': 'Beleg ansehen',
  'deleted.note':
    'Der Beleg zeigt, was jedes Unternehmen gelöscht hat, das für uns Daten verarbeitet. Er enthält nichts über Sie. Bewahren Sie diese E-Mail deshalb auf, wenn Sie ihn wiederfinden möchten.',
} satisfies Translation<typeof english>
