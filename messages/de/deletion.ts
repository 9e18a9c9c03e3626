import type { deletion as english } from '../en/deletion.ts'
import type { Translation } from '../translation.ts'

export const deletion = {
  title: 'Ihr Konto löschen',
  atOnce: 'Sofort und endgültig:',
  data: 'Ihr Name, Ihre Adresse, Ihre Telefonnummer, Ihre Geräte und Anmeldungen werden hier gelöscht,',
  orders:
    'nicht gelieferte Bestellungen werden erstattet, eSIMs nirgends mehr angezeigt: Heben Sie ihre Codes auf, wenn Sie sie noch brauchen,',
  subProcessors:
    'Apple, Google, unser Zahlungsdienstleister und die anderen Unternehmen, die für uns Daten verarbeiten, werden angewiesen zu löschen, was sie gespeichert haben,',
  invoices: 'Rechnungen bleiben sieben Jahre, ohne Angaben zu Ihrer Person,',
  backups:
    'Sicherungskopien mit Ihren Daten sind in 30 Tagen gelöscht und werden nie benutzt, um sie wiederherzustellen.',
  signIn: 'Zum Löschen anmelden',
  understood: 'Ich verstehe, dass sich das nicht rückgängig machen lässt.',
  ask: 'Setzen Sie das Häkchen, um es zu bestätigen.',
  now: 'Mein Konto jetzt löschen',
  inApp: 'In der App: Einstellungen, Ihr Konto, Löschen.',

  receipt: 'Beleg über eine Löschung',
  'fact.here': 'Hier gelöscht',
  'fact.backups': 'Letzte Sicherungskopie gelöscht bis',
  'fact.everybody': 'Überall abgeschlossen',
  'fact.receipt': 'Beleg',
  notYet: 'noch nicht',
  table: 'Schritte der Löschung',
  'head.who': 'Wer',
  'head.what': 'Ergebnis',
  'head.since': 'Seit',
  'step.database': 'Unsere Datenbank, noch einmal durchgesehen',
  'step.temporal': 'Unsere Ablaufprotokolle',
  'step.apple': 'Anmeldung mit Apple',
  'step.google': 'Anmeldung mit Google',
  'step.firebase': 'Firebase',
  'step.stripe': 'Ihre gespeicherten Karten bei Stripe',
  'step.esim_provider': 'eSIM-Anbieter',
  'step.mail': 'Unsere letzte E-Mail an Sie',
  'step.backups': 'Unsere Sicherungskopien',
  'step.stripe_redaction': 'Ihre Zahlungen bei Stripe, das sie 90 Tage aufbewahrt',
  'state.pending': 'noch nicht',
  'state.done': 'gelöscht',
  'state.nothing_held': 'hatte nichts von Ihnen',
  'state.by_hand': 'das können nur Sie tun:',
  'state.not_enabled': 'wird hier nicht gebraucht',
  'state.needs_operator': 'hat es nicht angenommen; wir gehen der Sache nach',
  removeApple:
    'Öffnen Sie auf Ihrem iPhone oder iPad „Einstellungen“, tippen Sie auf Ihren Namen, dann auf „Mit Apple anmelden“, wählen Sie AMA eSIM und tippen Sie auf „Nicht mehr verwenden“. Im Web: account.apple.com, „Anmeldung und Sicherheit“, „Mit Apple anmelden“.',
  mailSent: 'gesendet, und Ihre Adresse vergessen',
  backupsPending: 'noch nicht, gelöscht bis zum {day}',
  'check.title': 'Prüfen, ohne uns zu vertrauen',
  'check.files':
    'Bewahren Sie diese zwei Dateien auf: <receipt>receipt.json</receipt> sagt, was gelöscht wurde, <signature>receipt.json.sig</signature> ist unsere Signatur. <keys>ama-esim-signing-keys</keys> sind unsere öffentlichen Schlüssel. Liegen alle drei in einem Ordner, meldet dieser Befehl „Good“, wenn kein Byte verändert wurde. Unter Windows, macOS und Linux müssen Sie dafür nichts installieren.',
  'check.tomorrow':
    'Bis morgen steht der Hash von receipt.json auch in unserem <log>öffentlichen Protokoll</log>. Es lässt sich später nicht ändern, ohne dass alle es sehen. Das Protokoll nennt niemanden.',
  'check.entry':
    'Der Hash von receipt.json ist Eintrag {entry} in unserem <log>öffentlichen Protokoll</log>. Es lässt sich später nicht ändern, ohne dass alle es sehen. Das Protokoll nennt niemanden.',
  anyone: 'Diese Seite nennt Sie nicht. Wer ihre Adresse kennt, kann sie lesen.',
} satisfies Translation<typeof english>
