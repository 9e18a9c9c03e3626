import type { deletion as english } from '../en/deletion.ts'
import type { Translation } from '../translation.ts'

export const deletion = {
  title: 'Fshini llogarinë tuaj',
  atOnce: 'Menjëherë dhe përgjithmonë:',
  data: 'emri, adresa, numri i telefonit, pajisjet dhe hyrjet tuaja fshihen këtu,',
  orders: 'porositë e padorëzuara rimbursohen, eSIM-et nuk shfaqen më askund: ruajini kodet e tyre nëse ju duhen,',
  subProcessors:
    'Apple, Google, përpunuesi ynë i pagesave dhe kompanitë e tjera që përpunojnë të dhëna për ne udhëzohen të fshijnë atë që kanë,',
  invoices: 'faturat mbeten për shtatë vjet, pa asgjë që ju përmend,',
  backups:
    'kopjet rezervë që i përmbajnë të dhënat tuaja fshihen brenda tridhjetë ditësh dhe nuk përdoren kurrë për t’i rikthyer ato.',
  signIn: 'Hyni për ta fshirë',
  understood: 'E kuptoj se kjo nuk mund të zhbëhet.',
  ask: 'Shënoni kutinë për ta konfirmuar.',
  now: 'Fshijeni llogarinë time tani',
  inApp: 'Në aplikacion: cilësimet, llogaria juaj, fshirja.',

  receipt: 'Dëshmi e një fshirjeje',
  'fact.here': 'E fshirë këtu më',
  'fact.backups': 'Kopja e fundit rezervë fshihet deri më',
  'fact.everybody': 'Përfunduar kudo',
  'fact.receipt': 'Dëshmia',
  notYet: 'ende jo',
  table: 'Hapat e fshirjes',
  'head.who': 'Kush',
  'head.what': 'Rezultati',
  'head.since': 'Që nga',
  'step.database': 'Baza jonë e të dhënave, e kontrolluar edhe një herë',
  'step.temporal': 'Regjistrimet tona të proceseve',
  'step.apple': 'Hyrja me Apple',
  'step.google': 'Hyrja me Google',
  'step.firebase': 'Firebase',
  'step.stripe': 'Kartat tuaja të ruajtura te Stripe',
  'step.esim_provider': 'Ofruesi i eSIM-it',
  'step.mail': 'E-maili ynë i fundit për ju',
  'step.backups': 'Kopjet tona rezervë',
  'step.stripe_redaction': 'Pagesat tuaja te Stripe, i cili i ruan për 90 ditë',
  'state.pending': 'ende jo',
  'state.done': 'u fshi',
  'state.nothing_held': 'nuk kishte asgjë tuajën',
  'state.by_hand': 'këtë mund ta bëni vetëm ju:',
  'state.not_enabled': 'nuk nevojitet këtu',
  'state.needs_operator': 'nuk e pranoi; po e shqyrtojmë',
  removeApple:
    'në iPhone-in ose iPad-in tuaj hapni „Settings”, prekni emrin tuaj, pastaj „Sign in with Apple”, zgjidhni AMA eSIM dhe prekni „Stop Using”. Në ueb: account.apple.com, „Sign-In and Security”, „Sign in with Apple”.',
  mailSent: 'u dërgua, dhe adresa juaj u harrua',
  backupsPending: 'ende jo, fshihet deri më {day}',
  'check.title': 'Verifikojeni pa pasur nevojë të na besoni',
  'check.files':
    'Ruajini këto dy skedarë: <receipt>receipt.json</receipt> tregon çfarë u fshi, <signature>receipt.json.sig</signature> është nënshkrimi ynë. <keys>ama-esim-signing-keys</keys> janë çelësat tanë publikë. Me të tre në një dosje, kjo komandë shfaq „Good” nëse nuk ka ndryshuar asnjë bajt. Nuk kërkon instalim në Windows, macOS dhe Linux.',
  'check.tomorrow':
    'Deri nesër hash-i i receipt.json do të jetë edhe në <log>regjistrin tonë publik</log>, i cili nuk mund të ndryshohet më vonë pa e parë të gjithë. Regjistri nuk përmend askënd.',
  'check.entry':
    'Hash-i i receipt.json është shënimi {entry} në <log>regjistrin tonë publik</log>, i cili nuk mund të ndryshohet më vonë pa e parë të gjithë. Regjistri nuk përmend askënd.',
  anyone: 'Kjo faqe nuk ju përmend. Çdo person që e di adresën e saj mund ta lexojë.',
} satisfies Translation<typeof english>
