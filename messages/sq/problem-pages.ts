import type { trouble as english } from '../en/problem-pages.ts'
import type { Translation } from '../translation.ts'

export const trouble = {
  unknown: 'Ende nuk dihet nëse kjo u krye',
  unchanged: 'Ende nuk u ndryshua asgjë',
  field: '{field}: fushë e panjohur ose vlerë e gabuar',
  titled: '{title}. {text}',
  signIn: 'Hyni',
  start: 'Faqja kryesore',
  ask: 'Kur na pyetni për këtë, tregoni këtë numër: {id}',
  number: 'Numri i kësaj përgjigjeje: {id}',
  waitMinutes: 'Mund të provoni përsëri pas {minutes, plural, one {# minute} other {# minutash}}.',
  waitHours: 'Mund të provoni përsëri pas {hours, plural, one {# ore} other {# orësh}}.',

  'title.unauthenticated': 'Ju lutemi hyni në llogari',
  'title.fresh_sign_in_required': 'Ju lutemi hyni edhe një herë',
  'title.invalid_request': 'Kjo nuk funksionon',
  'title.forbidden': 'Kjo faqe është për të tjerë',
  'title.not_found': 'Faqja nuk u gjet',
  'title.method_not_allowed': 'Këtu nuk ka asgjë për të parë',
  'title.body_too_large': 'Kjo është shumë e gjatë',
  'title.unsupported_media_type': 'Formulari nuk mund të lexohet',
  'title.too_many_requests': 'Shumë përpjekje',
  'title.restoring': 'Kthehemi së shpejti',
  'title.request_in_progress': 'Kjo po kryhet tashmë',
  'title.idempotency_key_reused': 'Ky formular u dërgua më parë',
  'title.order_state_conflict': 'Kjo nuk është më e mundur',
  'title.privacy_request_state_conflict': 'Kërkesa ka ndryshuar ndërkohë',

  'text.invalid_request': 'Adresa ose formulari përmban diçka që kjo faqe nuk e njeh. Asgjë nuk u ndryshua.',
  'text.unauthenticated': 'Nuk keni hyrë, ose sesioni juaj ka mbaruar. Hyni, dhe hapeni faqen përsëri.',
  'text.fresh_sign_in_required':
    'Për të mbrojtur llogarinë tuaj, ju lutemi të hyni edhe një herë. Pastaj bëjeni përsëri.',
  'text.forbidden': 'Keni hyrë, por jo për këtë faqe.',
  'text.forged_form': 'Nuk erdhi nga faqja jonë, ose sesioni juaj mbaroi ndërkohë. Hapeni faqen përsëri.',
  'text.not_found': 'Në këtë adresë nuk ka asgjë, ose nuk ju përket juve.',
  'text.method_not_allowed': 'Kjo adresë pranon vetëm atë që dërgon një formular. Kthehuni te faqja me formularin.',
  'text.body_too_large': 'Keni dërguar më shumë se sa pranon ky formular. Ju lutemi shkurtojeni.',
  'text.unsupported_media_type': 'Formularët tanë nuk dërgohen kështu. Hapeni faqen përsëri.',
  'text.too_many_requests': 'Ju lutemi prisni pak, dhe provoni përsëri.',
  'text.internal_error': 'Një gabim nga ana jonë. Jemi njoftuar. Ju lutemi provoni përsëri pas disa minutash.',
  'text.restoring': 'Po i rikthejmë të dhënat tona. Ju lutemi provoni më vonë.',
  'text.unavailable': 'Diçka që i duhet kësaj faqeje nuk përgjigjet. Ju lutemi provoni përsëri pas pak.',
  'text.request_in_progress': 'Ende po punojmë për këtë. Prisni pak, dhe shikojeni faqen përsëri.',
  'text.idempotency_key_reused': 'Atëherë kishte përmbajtje tjetër. Hapeni faqen përsëri.',
  'text.account_missing': 'Kjo llogari nuk ekziston më. Mund të regjistroheni përsëri në aplikacion.',
  'text.order_state_conflict': 'Porosia ka ndryshuar ndërkohë: faqja e tregon si është tani.',
  'text.package_unavailable': 'Ndërkohë nuk shitet më. Hapeni faqen përsëri për të parë çfarë ka.',
  'text.payment_unavailable':
    'Stripe, përpunuesi ynë i pagesave, nuk përgjigjet. Asgjë nuk u porosit. Ju lutemi provoni përsëri pas disa minutash.',
  'text.payment_refused':
    'Stripe, përpunuesi ynë i pagesave, nuk e pranoi. Asgjë nuk u porosit. Ju lutemi na shkruani.',
  'text.esim_in_use': 'Na shkruani nëse diçka nuk është në rregull me të.',
  'text.provider_unavailable':
    'Rrjeti që e lëshoi eSIM-in nuk përgjigjet. Ju lutemi provoni përsëri pas disa minutash.',
  'text.mail_unavailable': 'Tani nuk mund të dërgojmë e-maile. Ju lutemi provoni përsëri pas disa minutash.',
  'text.withdrawal_not_opened': 'Hapeni përsëri porosinë, dhe filloni tërheqjen atje.',
  'text.withdrawal_period_over': 'Ndoshta eSIM-i mund të kthehet ende: këtë e tregon faqja e porosisë.',
  'text.withdrawal_right_lost':
    'Për këtë u pajtuat kur porositët. Na shkruani nëse diçka nuk është në rregull me eSIM-in.',
  'text.email_change_state_conflict': 'Hapeni faqen përsëri për të parë cila adresë vlen.',
  'text.privacy_request_state_conflict': 'Hapeni faqen përsëri për të parë si është tani.',
} satisfies Translation<typeof english>
