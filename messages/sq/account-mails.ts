import type { mail as english } from '../en/account-mails.ts'
import type { Translation } from '../translation.ts'

export const mail = {
  'signIn.subject': 'Lidhja juaj për hyrje',
  'signIn.preview': 'Funksionon vetëm një herë, për {minutes, plural, one {# minutë} other {# minuta}}.',
  'signIn.reason': 'Dikush kërkoi të hyjë me këtë adresë.',
  'signIn.title': 'Hyni në AMA eSIM',
  'signIn.text': 'Lidhja funksionon vetëm një herë, për {minutes, plural, one {# minutë} other {# minuta}}.',
  'signIn.action': 'Hyni',
  'signIn.note':
    'Nëse nuk ishit ju, mos bëni asgjë: pa këtë e-mail askush nuk mund të hyjë. Ne nuk jua kërkojmë kurrë lidhjen.',

  'emailChange.reason': 'Dikush që kishte hyrë në llogarinë tuaj AMA eSIM kërkoi t’ia ndryshojë adresën.',
  'emailChange.old.subject': 'A dëshironi ta ndryshoni adresën tuaj?',
  'emailChange.old.preview': 'Pranoni vetëm nëse e keni kërkuar ju.',
  'emailChange.old.text':
    'Na u kërkua ta ndryshojmë adresën e e-mailit të llogarisë suaj. Pranojeni këtu dhe në e-mailin që kemi dërguar në adresën e re, të dyja brenda {hours, plural, one {# ore} other {# orësh}}.',
  'emailChange.old.action': 'Pranoni ndryshimin',
  'emailChange.old.note':
    'Nëse nuk e keni kërkuar ju, mos pranoni: dilni kudo te {url}, gjë që e mbyll ndryshimin, dhe shkruani në {address}. Pa ju nuk ndryshon asgjë.',
  'emailChange.new.subject': 'Konfirmoni adresën tuaj të re',
  'emailChange.new.preview': 'Një prekje na tregon se është juaja.',
  'emailChange.new.text':
    'Kjo adresë u dha për një llogari AMA eSIM. Konfirmoni brenda {hours, plural, one {# ore} other {# orësh}} se është juaja.',
  'emailChange.new.action': 'Konfirmoni këtë adresë',
  'emailChange.new.note':
    'Nëse nuk e dini për çfarë bëhet fjalë, mos bëni asgjë: nuk do të shkruajmë më në këtë adresë.',
  'emailChange.done.subject': 'Adresa juaj u ndryshua',
  'emailChange.done.preview': 'Tani e tutje shkruajmë në adresën tuaj të re.',
  'emailChange.done.text': 'Tani e tutje shkruajmë në adresën tuaj të re dhe jo më në këtë.',
  'emailChange.done.note': 'Nëse nuk ishit ju, shkruani menjëherë në {address}.',

  'apple.subject': 'Hyrja me Apple është çaktivizuar',
  'apple.preview': 'Llogaria juaj dhe eSIM-et tuaja janë ende aty.',
  'apple.reason': 'Ju e merrni këtë e-mail sepse AMA eSIM u hoq nga Apple Account-i juaj.',
  'apple.text':
    'Ju e keni hequr AMA eSIM nga Apple Account-i juaj, prandaj e kemi fshirë lidhjen. Llogaria juaj dhe eSIM-et tuaja janë ende aty: hyni me adresën tuaj të e-mailit, ose sërish me Apple për t’i lidhur përsëri.',
  'apple.ended':
    'Keni dalë nga llogaria në të gjitha pajisjet. Një ndryshim i adresës suaj të e-mailit që keni kërkuar vazhdon: i duhet pëlqimi i adresës suaj të tanishme.',
  'apple.delete': 'Nëse donit ta fshinit llogarinë, mund ta bëni në aplikacion ose te {url}.',
  'apple.note':
    'Nëse keni përdorur një adresë përcjellëse të Apple-it, e-mailet mund të mos mbërrijnë më atje. Vendosni një adresë tjetër në aplikacion ose te {url}.',

  'inactive.subject': 'Llogaria juaj AMA eSIM do të fshihet pas {days, plural, one {# dite} other {# ditësh}}',
  'inactive.preview': 'Hyni një herë për ta ruajtur.',
  'inactive.reason': 'Ju e merrni këtë e-mail sepse keni një llogari AMA eSIM. Nuk është reklamë.',
  'inactive.text':
    'Nuk e keni përdorur llogarinë tuaj prej gati tri vjetësh. Ne nuk i ruajmë llogaritë më gjatë, prandaj do ta fshijmë më {day}.',
  'inactive.keep': 'Për ta ruajtur, hyni një herë para asaj dite, në aplikacion ose këtu:',
  'inactive.action': 'Ruajeni llogarinë time',
  'inactive.note':
    'Nëse nuk bëni asgjë, të dhënat tuaja personale fshihen përgjithmonë. Faturat mbeten për aq kohë sa kërkon ligji, pa emrin tuaj.',

  'deleted.subject': 'Llogaria juaj është fshirë',
  'deleted.preview': 'Ky është e-maili ynë i fundit për ju.',
  'deleted.reason': 'Ky është e-maili ynë i fundit në këtë adresë.',
  'deleted.cause.requested': 'Siç kërkuat, e kemi fshirë llogarinë tuaj dhe të dhënat tuaja personale.',
  'deleted.cause.inactivity':
    'Llogaria juaj nuk u përdor për tri vjet, prandaj e kemi fshirë bashkë me të dhënat tuaja personale.',
  'deleted.cause.sign_in_account_deleted':
    'Apple Account-i me të cilin hynit u fshi, prandaj e kemi fshirë llogarinë tuaj dhe të dhënat tuaja personale.',
  'deleted.cause.child':
    'Mësuam se kjo llogari i përkiste një fëmije nën 13 vjeç, prandaj e kemi fshirë bashkë me të dhënat personale.',
  'deleted.stays':
    'Faturat mbeten për aq kohë sa kërkon ligji, pa emrin tuaj. Kopjet rezervë që i përmbajnë ende të dhënat tuaja fshihen deri më {day} dhe nuk përdoren kurrë për t’i rikthyer ato.',
  'deleted.apple':
    'Një gjë mund ta bëni vetëm ju: në iPhone-in tuaj hapni „Settings”, prekni emrin tuaj, pastaj „Sign in with Apple”, dhe hiqeni AMA eSIM nga lista.',
  'deleted.on': 'E fshirë më',
  'deleted.receipt': 'Dëshmia',
  'deleted.action': 'Shihni dëshminë',
  'deleted.note':
    'Dëshmia tregon çfarë ka fshirë secila kompani që përpunon të dhëna për ne. Ajo nuk përmban asgjë për ju, prandaj ruajeni këtë e-mail nëse dëshironi ta gjeni përsëri.',
} satisfies Translation<typeof english>
