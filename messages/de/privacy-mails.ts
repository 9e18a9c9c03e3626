import type { privacy as english } from '../en/privacy-mails.ts'
import type { Translation } from '../translation.ts'

export const privacy = {
  'policy.reason':
    'Sie erhalten diese E-Mail, weil Sie ein AMA-eSIM-Konto haben: Wir haben versprochen, Sie zu informieren. Sie ist keine Werbung.',
  'policy.subject': 'Unsere Datenschutzerklärung ändert sich am {day}',
  'policy.preview': 'Was sich ändert und was Sie tun können.',
  'policy.text': 'Bis dahin gilt die jetzige Fassung. Das ändert sich mit der Fassung {version}:',
  'policy.readNew': 'Neue Datenschutzerklärung lesen',
  'policy.disagree': 'Wenn Sie nicht einverstanden sind',
  'policy.delete': 'Sie können Ihr Konto jederzeit löschen, in der App oder unter {url}.',
  'policy.versions': 'Die geltende Datenschutzerklärung und alle früheren Fassungen finden Sie unter {url}.',
  'moved.subject': 'Unsere Datenschutzerklärung ändert sich später: am {day}',
  'moved.preview': 'Der Tag hat sich verschoben; was sich ändert, bleibt gleich.',
  'moved.text':
    'Wir haben Ihnen geschrieben, dass die Fassung {version} kommt. Wir haben versprochen, jede Person 30 Tage vorher zu informieren, und haben nicht alle rechtzeitig erreicht. Deshalb gilt sie erst später: ab dem {day}. Bis dahin gilt die jetzige Fassung.',
  'withdrawn.subject': 'Unsere Datenschutzerklärung bleibt, wie sie ist',
  'withdrawn.preview': 'Die angekündigte Änderung kommt nicht.',
  'withdrawn.text':
    'Wir haben Ihnen geschrieben oder bei der Registrierung gezeigt, dass die Fassung {version} kommt. Wir haben sie zurückgezogen: Sie tritt nie in Kraft, und die jetzige Fassung gilt weiter.',
  'withdrawn.action': 'Datenschutzerklärung lesen',

  'request.reason': 'Sie erhalten diese E-Mail, weil Sie uns zu Ihren Daten geschrieben haben.',
  'request.reference': 'Aktenzeichen',
  'request.received': 'Eingegangen',
  'request.answerBy': 'Antwort bis',
  'request.weAnswerBy': 'Wir antworten bis zum {day}.',
  'acknowledged.subject': 'Wir haben Ihre Datenschutzanfrage erhalten',
  'acknowledged.text':
    'Vielen Dank für Ihre Nachricht. Ein Mensch liest sie und antwortet Ihnen innerhalb von 30 Tagen.',
  'acknowledged.note':
    'Ihre Daten können Sie jederzeit selbst ansehen, berichtigen, exportieren und löschen, in der App oder unter {url}.',
  'answered.subject': 'Unsere Antwort auf Ihre Datenschutzanfrage',
  'answered.preview': 'Aktenzeichen {reference}',
  'answered.note':
    'Wenn Sie mit der Antwort nicht einverstanden sind, antworten Sie darauf oder beschweren Sie sich bei einer Datenschutzbehörde.',
  'extended.subject': 'Ihre Datenschutzanfrage dauert länger',
  'extended.complexity':
    'Ihre Anfrage macht mehr Arbeit als die meisten. Das Gesetz gibt uns dafür mehr Zeit, und wir nehmen uns nicht mehr davon, als wir brauchen.',
  'extended.number_of_requests':
    'Wir haben mehrere Anfragen von Ihnen zu beantworten. Das Gesetz gibt uns dafür mehr Zeit, und wir nehmen uns nicht mehr davon, als wir brauchen.',
  'extended.note':
    'Wenn Sie nicht einverstanden sind, antworten Sie auf diese E-Mail oder beschweren Sie sich bei einer Datenschutzbehörde.',

  'breach.subject': 'Jemand hat Ihre Daten gesehen',
  'breach.preview': 'Was geschehen ist, was folgen kann und was Sie tun können.',
  'breach.reason':
    'Sie erhalten diese E-Mail, weil das Gesetz uns verpflichtet, Sie über eine Verletzung des Schutzes Ihrer Daten zu informieren.',
  'breach.text':
    'Guten Tag, {firstName}. Daten Ihres AMA-eSIM-Kontos wurden von jemandem gelesen, der sie nicht sehen durfte. Das tut uns leid.',
  'breach.when': 'Wann',
  'breach.period': '{first} bis {last}',
  'breach.read': 'Was gelesen wurde',
  'breach.consequences': 'Was folgen kann',
  'breach.measures': 'Was wir getan haben',
  'breach.contact': 'Wen Sie fragen können',
  'breach.note':
    'Seien Sie vorsichtig bei E-Mails und Anrufen, in denen Ihre Bestellungen vorkommen. Wir fragen nie nach Passwörtern oder Kartennummern. Sie können sich auch bei einer Datenschutzbehörde beschweren.',
  'held.account': 'Name, E-Mail-Adresse, Telefonnummer, IP-Adressen und Kennungen von Apple, Google und Firebase',
  'held.consents': 'Einwilligung in Werbung',
  'held.devices': 'Gerätekennungen, Modell, Versionen von App und System',
  'held.emailChanges': 'alte und neue E-Mail-Adresse',
  'held.orders': 'Käufe: Pakete, Reiseziele, Zeitpunkte und Beträge',
  'held.esims': 'eSIM-Nummern (ICCID), Aktivierungscodes und Datenverbrauch',
  'held.privacyRequests': 'Datenschutzanfragen mit ihren Texten und Antworten',
  'held.policyNotices': 'ob eine Mitteilung Sie erreicht hat',
  'held.accesses': 'wer Ihre Daten gelesen hat',
  'held.everything': 'alles, was der Dienst über Sie gespeichert hat',

  'promotion.reason':
    'Sie erhalten diese E-Mail, weil Sie unsere Angebote erhalten möchten. <link>Abbestellen</link> mit einem Klick.',
} satisfies Translation<typeof english>
