import type { page as english } from '../en/pages.ts'
import type { Translation } from '../translation.ts'

export const page = {
  switch: 'Sprache',
  accountLanguage: 'Sprache unserer E-Mails und Seiten',
  save: 'Speichern',

  'unsubscribe.ask': 'Keine Angebote mehr erhalten?',
  'unsubscribe.done': 'Sie erhalten keine Angebote mehr',
  'unsubscribe.off': 'Sie erhalten keine Angebote',
  'unsubscribe.unknown': 'Dieser Link funktioniert nicht',
  'unsubscribe.askText': 'Wir schicken Angebote nur an Personen, die sie haben möchten. Ein Klick, und wir hören auf.',
  'unsubscribe.stop': 'Angebote abbestellen',
  'unsubscribe.stays':
    'E-Mails zu Ihren Käufen erhalten Sie weiterhin. Unter <data>Meine Daten</data> können Sie Angebote wieder einschalten.',
  'unsubscribe.doneText':
    'Das gilt ab jetzt, für Angebote jeder Art. E-Mails zu Ihren Käufen erhalten Sie weiterhin. Unter <data>Meine Daten</data> können Sie Angebote wieder einschalten.',
  'unsubscribe.offText':
    'Für diese Adresse sind Angebote ausgeschaltet, oder das Konto ist gelöscht. Sie brauchen nichts weiter zu tun.',
  'unsubscribe.unknownText':
    'Vielleicht wurde er nicht vollständig kopiert. Angebote lassen sich auch unter <data>Meine Daten</data> ausschalten.',

  'emailChange.ask_old': 'Die Adresse Ihres Kontos ändern?',
  'emailChange.ask_new': 'Diese Adresse für Ihr Konto verwenden?',
  'emailChange.agreed': 'Vielen Dank',
  'emailChange.changed': 'Die Adresse ist geändert',
  'emailChange.over': 'Die Adresse bleibt, wie sie war',
  'emailChange.agree': 'Ich stimme zu',
  'emailChange.askOldText':
    'Von da an gehen E-Mails zu Ihrem Konto und zu Ihren eSIMs nur noch an {address}, und wer sie liest, kommt in das Konto.',
  'emailChange.askOldNote':
    'Wenn Sie nicht darum gebeten haben oder das nicht Ihre Adresse ist, schließen Sie diese Seite und schreiben Sie uns: Ohne Sie geschieht nichts.',
  'emailChange.askNewText': 'E-Mails zum Konto und zu seinen eSIMs kommen dann hier an.',
  'emailChange.askNewNote': 'Wenn Sie nicht wissen, worum es geht, schließen Sie diese Seite.',
  'emailChange.agreedText': 'Auch die andere Adresse muss zustimmen: Wir haben einen Link an sie geschickt.',
  'emailChange.changedText':
    'Ab jetzt gehen E-Mails an die neue Adresse. Melden Sie sich dort neu an, wo Sie im Web angemeldet waren.',
  'emailChange.overText':
    'Die Änderung wurde ersetzt oder abgebrochen, hat zu lange gedauert, oder die neue Adresse hat ein eigenes Konto.',

  'policy.title': 'Datenschutzerklärung',
  'policy.current': 'Fassung {version}, in Kraft seit {day}.',
  'policy.earlier': 'Frühere Fassungen',
  'policy.version': 'Fassung {version}, {life}.',
  'policy.all': 'Die geltende Datenschutzerklärung und alle anderen Fassungen',
  'policy.coming': 'Ab dem {day}',
  'policy.comingText': '<link>Fassung {version}</link> gilt ab dem {day}. Bis dahin gilt, was unten steht.',
  'policy.comingMoved':
    '<link>Fassung {version}</link> gilt ab dem {day} (zuerst angekündigt für den {announced}: Es konnten nicht alle rechtzeitig informiert werden). Bis dahin gilt, was unten steht.',
  'policy.changes': 'Was sich ändert:',
  'policy.life.inForce': 'in Kraft seit {day}',
  'policy.life.withdrawn': 'zurückgezogen am {day}, nie in Kraft',
  'policy.life.withdrawnOnce': 'zurückgezogen, nie in Kraft',
  'policy.life.superseded': 'in Kraft vom {from} bis zum {to}',
  'policy.life.supersededOnce': 'in Kraft ab {from}',
  'policy.life.coming': 'gilt ab dem {day}',
  'policy.life.comingMoved':
    'gilt ab dem {day} (zuerst angekündigt für den {announced}: Es konnten nicht alle rechtzeitig informiert werden)',
} satisfies Translation<typeof english>
