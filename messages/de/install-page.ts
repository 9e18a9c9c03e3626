import type { install as english } from '../en/install-page.ts'
import type { Translation } from '../translation.ts'

/** Names of settings are those of iOS, Android and Samsung's One UI in German. */
export const install = {
  title: 'Ihre eSIM: {place}',
  refunded:
    'Diese Bestellung wurde erstattet. {count, plural, one {Ihre eSIM kann} other {Ihre eSIMs können}} nicht mehr installiert werden.',
  all: 'eSIMs dieser Bestellung',
  short: 'eSIM {number, number}',
  secret: 'Behalten Sie diese Adresse für sich: Wer sie hat, kann die eSIM installieren.',
  more: 'Datenvolumen hinzufügen',
  moreOrReturn: 'Datenvolumen hinzufügen oder unbenutzt zurückgeben',
  order: 'Bestellung ansehen',
  orderOrReturn: 'Bestellung ansehen oder unbenutzt zurückgeben',
  data: 'Datenvolumen',
  worksIn: 'Funktioniert in',
  countries: '{count, plural, other {Alle # Länder}}',
  phone: 'Telefon',
  other: 'Andere',
  copied: 'Kopiert',
  copy: 'Kopieren',
  copyOf: '{label} kopieren: {name}',
  oneLine: 'In einer Zeile',
  install: 'Installieren',
  there: 'Am Reiseziel',
  codes: 'Codes dieser eSIM',
  scan: 'Scannen Sie dies mit dem Telefon, das die eSIM nutzen soll, von einem anderen Bildschirm:',
  once: 'Sie kann einmal installiert werden, auf einem Telefon. Löschen Sie sie vor dem Ende der Reise nicht vom Telefon: Schalten Sie sie aus, solange Sie sie nicht brauchen; ihre Tage laufen weiter. Die ICCID ist ihre Seriennummer, nach der unser Support fragt.',

  'state.new': 'Bereit zur Installation',
  'state.installed': 'Installiert, noch unbenutzt',
  'state.in_use': 'In Benutzung',
  'state.used_up': 'Datenvolumen aufgebraucht',
  'state.expired': 'Abgelaufen',
  'state.removed': 'Vom Telefon gelöscht',
  'state.cancelled': 'Zurückgegeben',
  'state.suspended': 'Vorübergehend gesperrt',
  'state.unknown': 'Das Netz hat ihren Stand noch nicht gemeldet',
  ended: 'Abgelaufen am {at}.',
  validUntil: 'Gültig bis {at}.',
  validFor: 'Gültig: {days}.',
  'hint.installation': 'Installieren Sie sie kurz vor der Abreise.',
  'hint.first_use': 'Sie können sie schon heute zu Hause installieren.',
  installBefore: 'Installieren Sie sie vor dem {at}.',
  used: '{used} verbraucht, unbegrenzt',
  usedOf: '{used} von {total} verbraucht',
  usedBar: 'Verbrauchtes Datenvolumen: {name}',
  read: 'Im Netz abgelesen am {at}. Netze zählen mit einigen Stunden Verzögerung.',

  'step.wifi': 'Verbinden Sie sich mit einem WLAN.',
  'step.other.wifi': 'Verbinden Sie das Telefon, das die eSIM nutzen soll, mit einem WLAN.',
  'step.other.open':
    'Öffnen Sie auf einem iPhone „Einstellungen“, „Mobilfunk“, „eSIM hinzufügen“, „QR-Code verwenden“; unter Android „Einstellungen“, „Netzwerk & Internet“, „SIMs“, „eSIM hinzufügen“.',
  'step.other.scan':
    'Scannen Sie den QR-Code unten. Geht es mit der Kamera nicht, geben Sie die Codes darunter von Hand ein.',
  'step.other.wait': 'Warten Sie, bis das Telefon die eSIM als hinzugefügt meldet. Das dauert einige Minuten.',
  'step.ios.tap': 'Ab iOS 17.4 tippen Sie hier; das Telefon zeigt „eSIM aktivieren“:',
  'step.ios.button': 'Auf diesem iPhone installieren',
  'step.ios.older':
    'Öffnen Sie auf einem älteren iPhone „Einstellungen“, „Mobilfunk“, „eSIM hinzufügen“, „QR-Code verwenden“. Scannen Sie den Code unten von einem anderen Bildschirm, oder wählen Sie „Details manuell eingeben“ und kopieren Sie die SM-DP+-Adresse und den Aktivierungscode.',
  'step.ios.continue':
    'Tippen Sie auf „Fortfahren“, bis das Telefon meldet, dass der Mobilfunk eingerichtet ist. Das kann einige Minuten dauern: Unterbrechen Sie es nicht. Nennen Sie die Leitung „Reisen“.',
  'step.ios.keep': 'Behalten Sie Ihre eigene Leitung als Standard für Anrufe und Nachrichten.',
  'step.android.tap': 'Manche Android-Telefone installieren sie nach einmaligem Tippen:',
  'step.android.button': 'Auf diesem Android-Telefon installieren',
  'step.android.others':
    'Öffnen Sie auf den anderen „Einstellungen“, „Netzwerk & Internet“, „SIMs“, „eSIM hinzufügen“. Samsung: „Verbindungen“, „SIM-Manager“, „eSIM hinzufügen“. Scannen Sie den Code unten von einem anderen Bildschirm, oder wählen Sie die Eingabe von Hand und kopieren Sie „In einer Zeile“.',
  'step.android.wait':
    'Tippen Sie auf „Herunterladen“ oder „Hinzufügen“, und warten Sie, bis das Telefon die eSIM als hinzugefügt meldet. Das kann einige Minuten dauern: Unterbrechen Sie es nicht.',
  'step.android.keep': 'Behalten Sie Ihre eigene SIM für Anrufe und Nachrichten.',

  'roaming.ios':
    '„Einstellungen“, „Mobilfunk“, diese eSIM: Schalten Sie die Leitung und „Datenroaming“ ein, und wählen Sie sie unter „Mobile Daten“.',
  'roaming.android':
    '„Einstellungen“, „Netzwerk & Internet“, „SIMs“, diese eSIM: Schalten Sie „SIM verwenden“, „Mobile Daten“ und „Roaming“ ein.',
  'roaming.other':
    'Schalten Sie in den Einstellungen des Telefons diese eSIM ein, wählen Sie sie für mobile Daten, und schalten Sie Datenroaming ein.',
  apn: 'Lädt nach einigen Minuten keine Seite, geben Sie in den Einstellungen dieser eSIM den Zugangspunkt (APN) <code>{apn}</code> ein.',
  apnItself: 'Das Telefon stellt den Zugangspunkt (APN) von selbst ein.',
  ownSim: 'Lassen Sie das Datenroaming Ihrer eigenen SIM ausgeschaltet, damit sie nichts kostet.',

  'help.suspended':
    'Sie kommt vorerst nicht ins Netz, meist weil eine Bank eine Zahlung dieser Bestellung prüft. Wenn Sie davon nichts wissen, schreiben Sie uns bitte.',
  'help.removed':
    'Sie lässt sich nicht noch einmal installieren, auf keinem Telefon. Wenn Sie mehr Datenvolumen brauchen, finden Sie in der App neue eSIMs; wenn Sie sie nicht selbst gelöscht haben, schreiben Sie uns bitte.',
  'help.usedUp':
    'Diese eSIM kann nicht aufgeladen werden: Wenn Sie mehr Datenvolumen brauchen, finden Sie in der App neue.',
  'help.title': 'Wenn es nicht funktioniert',
  'help.code': 'Das Telefon nimmt den Code nicht an',
  'help.code.once':
    'Die eSIM kann einmal installiert werden. Ist sie schon auf einem Telefon, steht sie dort unter den SIM-Karten.',
  'help.code.lock':
    'Das Telefon muss eSIMs unterstützen und darf keinen SIM-Lock haben: Wählen Sie *#06#, es muss eine EID erscheinen.',
  'help.code.wifi':
    'Benutzen Sie WLAN. Mobile Daten der SIM, die gerade ersetzt wird, können den Download unterbrechen.',
  'help.code.hand': 'Geben Sie die Codes von Hand ein, statt zu scannen.',
  'help.network': 'Sie ist installiert, aber es gibt kein Netz',
  'help.network.home': 'Sie verbindet sich nur am Reiseziel. Zu Hause ist „Kein Netz“ normal.',
  'help.network.ios': 'Schalten Sie im Kontrollzentrum den Flugmodus zehn Sekunden lang ein und wieder aus.',
  'help.network.android':
    'Schalten Sie in den Schnelleinstellungen den Flugmodus zehn Sekunden lang ein und wieder aus.',
  'help.network.other':
    'Schalten Sie den Flugmodus zehn Sekunden lang ein und wieder aus, oder starten Sie das Telefon neu.',
  'help.network.hand':
    'Wählen Sie das Netz von Hand: Schalten Sie die automatische Netzauswahl aus, warten Sie auf die Liste, und versuchen Sie jedes Netz.',
  'help.data': 'Es gibt ein Netz, aber keine Seite lädt',
  'help.data.roaming': 'Datenroaming dieser eSIM muss eingeschaltet sein, und mobile Daten müssen diese eSIM nutzen.',
  'help.data.apn': 'Geben Sie den Zugangspunkt (APN) von oben ein, wenn dort einer genannt ist.',
  'help.data.used': 'Sehen Sie oben nach, ob das Datenvolumen aufgebraucht ist oder die Tage um sind.',
  'help.write':
    'Nichts hat geholfen? Schreiben Sie an <mail>{address}</mail>, mit der ICCID und dem, was das Telefon anzeigt. Eine nie benutzte eSIM können Sie gegen volle Erstattung zurückgeben.',
} satisfies Translation<typeof english>
