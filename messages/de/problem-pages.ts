import type { trouble as english } from '../en/problem-pages.ts'
import type { Translation } from '../translation.ts'

export const trouble = {
  unknown: 'Es steht noch nicht fest, ob dies ausgeführt wurde',
  unchanged: 'Es wurde noch nichts geändert',
  field: '{field}: unbekanntes Feld oder falscher Wert',
  titled: '{title}. {text}',
  signIn: 'Anmelden',
  start: 'Startseite',
  ask: 'Wenn Sie uns danach fragen, nennen Sie diese Nummer: {id}',
  number: 'Nummer dieser Antwort: {id}',
  waitMinutes: 'Sie können es in {minutes, plural, one {# Minute} other {# Minuten}} noch einmal versuchen.',
  waitHours: 'Sie können es in {hours, plural, one {# Stunde} other {# Stunden}} noch einmal versuchen.',

  'title.unauthenticated': 'Bitte melden Sie sich an',
  'title.fresh_sign_in_required': 'Bitte melden Sie sich noch einmal an',
  'title.invalid_request': 'Das geht so nicht',
  'title.forbidden': 'Diese Seite ist für andere',
  'title.not_found': 'Seite nicht gefunden',
  'title.method_not_allowed': 'Hier gibt es nichts zu sehen',
  'title.body_too_large': 'Das ist zu lang',
  'title.unsupported_media_type': 'Das Formular kann nicht gelesen werden',
  'title.too_many_requests': 'Zu viele Versuche',
  'title.restoring': 'Wir sind bald wieder da',
  'title.request_in_progress': 'Das wird gerade schon erledigt',
  'title.idempotency_key_reused': 'Dieses Formular wurde schon abgeschickt',
  'title.order_state_conflict': 'Das ist nicht mehr möglich',
  'title.privacy_request_state_conflict': 'Die Anfrage hat sich inzwischen geändert',

  'text.invalid_request':
    'Die Adresse oder das Formular enthält etwas, das diese Seite nicht kennt. Es wurde nichts geändert.',
  'text.unauthenticated':
    'Sie sind nicht angemeldet, oder Ihre Sitzung ist abgelaufen. Melden Sie sich an, und öffnen Sie die Seite noch einmal.',
  'text.fresh_sign_in_required':
    'Zum Schutz Ihres Kontos bitten wir Sie, sich noch einmal anzumelden. Wiederholen Sie es danach.',
  'text.forbidden': 'Sie sind angemeldet, aber nicht für diese Seite.',
  'text.forged_form':
    'Es kam nicht von unserer eigenen Seite, oder Ihre Sitzung ist inzwischen abgelaufen. Öffnen Sie die Seite noch einmal.',
  'text.not_found': 'Unter dieser Adresse gibt es nichts, oder es gehört nicht Ihnen.',
  'text.method_not_allowed':
    'Diese Adresse nimmt nur an, was ein Formular schickt. Gehen Sie zurück zur Seite mit dem Formular.',
  'text.body_too_large': 'Sie haben mehr geschickt, als dieses Formular aufnehmen kann. Bitte kürzen Sie es.',
  'text.unsupported_media_type': 'So werden unsere Formulare nicht abgeschickt. Öffnen Sie die Seite noch einmal.',
  'text.too_many_requests': 'Bitte warten Sie eine Weile, und versuchen Sie es dann noch einmal.',
  'text.internal_error':
    'Ein Fehler auf unserer Seite. Wir wurden benachrichtigt. Bitte versuchen Sie es in einigen Minuten noch einmal.',
  'text.restoring': 'Wir stellen unsere Daten wieder her. Bitte versuchen Sie es später noch einmal.',
  'text.unavailable': 'Etwas, das diese Seite braucht, antwortet nicht. Bitte versuchen Sie es gleich noch einmal.',
  'text.request_in_progress':
    'Wir arbeiten noch daran. Warten Sie einen Augenblick, und sehen Sie dann wieder auf die Seite.',
  'text.idempotency_key_reused': 'Damals stand etwas anderes darin. Öffnen Sie die Seite noch einmal.',
  'text.account_missing': 'Dieses Konto gibt es nicht mehr. In der App können Sie sich neu registrieren.',
  'text.order_state_conflict': 'Die Bestellung hat sich inzwischen geändert: Die Seite zeigt ihren jetzigen Stand.',
  'text.package_unavailable':
    'Es wird inzwischen nicht mehr verkauft. Öffnen Sie die Seite noch einmal, um zu sehen, was es gibt.',
  'text.price_changed': 'Er hat sich inzwischen geändert. Es wurde nichts bestellt: Unten steht, was es jetzt kostet.',
  'text.payment_unavailable':
    'Stripe, unser Zahlungsdienstleister, antwortet nicht. Es wurde nichts bestellt. Bitte versuchen Sie es in einigen Minuten noch einmal.',
  'text.payment_refused':
    'Stripe, unser Zahlungsdienstleister, hat es nicht angenommen. Es wurde nichts bestellt. Bitte schreiben Sie uns.',
  'text.esim_in_use': 'Schreiben Sie uns, wenn damit etwas nicht stimmt.',
  'text.provider_unavailable':
    'Das Netz, das die eSIM ausgegeben hat, antwortet nicht. Bitte versuchen Sie es in einigen Minuten noch einmal.',
  'text.mail_unavailable':
    'Wir können gerade keine E-Mails schicken. Bitte versuchen Sie es in einigen Minuten noch einmal.',
  'text.withdrawal_not_opened': 'Öffnen Sie die Bestellung noch einmal, und beginnen Sie dort mit dem Widerruf.',
  'text.withdrawal_period_over':
    'Vielleicht kann die eSIM noch zurückgegeben werden: Das zeigt die Seite der Bestellung.',
  'text.withdrawal_right_lost':
    'Dem haben Sie bei der Bestellung zugestimmt. Schreiben Sie uns, wenn mit der eSIM etwas nicht stimmt.',
  'text.email_change_state_conflict': 'Öffnen Sie die Seite noch einmal, um zu sehen, welche Adresse gilt.',
  'text.privacy_request_state_conflict': 'Öffnen Sie die Seite noch einmal, um den jetzigen Stand zu sehen.',
} satisfies Translation<typeof english>
