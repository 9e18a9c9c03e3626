import type { order as english } from '../en/order-mails.ts'
import type { Translation } from '../translation.ts'

export const order = {
  reason: 'Ju e merrni këtë e-mail për shkak të një porosie që keni bërë te AMA eSIM.',
  hello: 'Përshëndetje. {text}',
  helloName: 'Përshëndetje, {firstName}. {text}',
  seeEsim: 'Shihni eSIM-in tuaj',

  'fact.destination': 'Destinacioni',
  'fact.data': 'Të dhënat',
  'fact.validFor': 'Vlefshmëria',
  'fact.validUntil': 'Vlen deri më',
  'fact.ended': 'Ka skaduar më',
  'fact.used': 'Të përdorura',
  'fact.total': 'Gjithsej',
  'fact.invoice': 'Fatura',
  'fact.refunded': 'Të rimbursuara',
  'fact.creditNote': 'Nota e kreditit',
  'fact.agreed': 'Pëlqimi juaj',
  quoted: '„{text}” ({at})',
  aDay: '{amount} në ditë',
  usedOf: '{used} nga {total}',

  'ready.subject': '{count, plural, one {eSIM-i juaj është gati: {place}} other {eSIM-et tuaja janë gati: {place}}}',
  'ready.preview': 'Skanoni kodin ose prekni lidhjen për ta instaluar.',
  'ready.thanks':
    '{count, plural, one {Faleminderit për porosinë. Instalojeni sa kohë keni Wi-Fi, mundësisht para nisjes.} other {Faleminderit për porosinë. Instalojini sa kohë keni Wi-Fi, mundësisht para nisjes.}}',
  'ready.open': 'Hapni faqen e instalimit',
  'ready.byHand': 'Në Android ose me dorë',
  'ready.step1':
    'Hapni „Cilësimet”, pastaj „Rrjeti dhe interneti” dhe „Kartat SIM” (Samsung: „Lidhjet” dhe „Menaxheri i SIM-it”), dhe shtoni një eSIM.',
  'ready.step2': 'Skanoni kodin më sipër, ose zgjidhni t’i shkruani të dhënat vetë dhe kopjojini nga ky e-mail.',
  'ready.step3': 'Kur të mbërrini, aktivizoni të dhënat celulare dhe roamingun e të dhënave për eSIM-in e ri.',
  'ready.keep':
    'Çdo kod funksionon vetëm një herë dhe për një telefon. Mos ia jepni askujt këtë e-mail dhe mos e fshini eSIM-in nga telefoni.',
  'ready.order': 'Porosia juaj',
  'ready.iphone':
    'A po e lexoni këtë në iPhone-in që do ta përdorë? <link>Instalojeni në këtë iPhone</link> (iOS 17.4 ose më i ri).',

  'held.subject': 'Po e shqyrtojmë porosinë tuaj: {place}',
  'held.text': 'E kemi marrë pagesën tuaj. Para se ta dorëzojmë, dikush nga ne e shikon këtë porosi.',
  'held.why':
    'Porositë i shqyrtojmë me dorë kur banka ose rregullat tona vërejnë diçka të pazakontë, si p.sh. disa blerje brenda një kohe të shkurtër. Kjo i mbron pronarët e kartave. Nuk keni nevojë të bëni asgjë.',
  'held.until': 'Nëse nuk kemi vendosur deri më {at}, paratë ju kthehen automatikisht.',

  'delayed.subject': 'Porosia juaj po vonohet pak: {place}',
  'delayed.text':
    'E kemi marrë pagesën tuaj dhe po presim që rrjeti {count, plural, one {ta lëshojë eSIM-in tuaj. Nuk keni nevojë të bëni asgjë: do t’jua dërgojmë me e-mail sapo ta kemi.} other {t’i lëshojë # eSIM-et tuaja. Nuk keni nevojë të bëni asgjë: do t’jua dërgojmë me e-mail sapo t’i kemi.}}',
  'delayed.topUp':
    'E kemi marrë pagesën tuaj dhe po presim që rrjeti t’ia shtojë të dhënat eSIM-it tuaj. Nuk keni nevojë të bëni asgjë: do t’ju shkruajmë sapo të jenë aty.',
  'delayed.until': 'Nëse kjo nuk ndodh deri më {at}, paratë ju kthehen automatikisht.',

  'refund.subject': 'Rimbursimi juaj prej {amount}',
  'refund.gone':
    '{count, plural, one {eSIM-i nuk mund të instalohet më.} other {Të # eSIM-et nuk mund të instalohen më.}}',
  'refund.bank':
    'Banka juaj zakonisht e shfaq shumën brenda 5 deri në 10 ditësh, në kartën ose portofolin me të cilin keni paguar.',
  'refund.not_delivered_in_time': 'Nuk arritëm ta dorëzojmë këtë porosi në kohë, prandaj jua kemi rimbursuar pagesën.',
  'refund.out_of_stock': 'Nuk mund ta sigurojmë më atë që porositët, prandaj jua kemi rimbursuar pagesën.',
  'refund.rejected_in_review': 'Nuk mundëm ta pranojmë këtë porosi, prandaj jua kemi rimbursuar.',
  'refund.review_timed_out': 'Nuk arritëm ta shqyrtojmë këtë porosi në kohë, prandaj jua kemi rimbursuar.',
  'refund.cancelled_by_customer': 'Ju e keni anuluar këtë porosi, prandaj jua kemi rimbursuar.',
  'refund.returned_unused': 'Ju e keni kthyer këtë porosi të papërdorur, prandaj jua kemi rimbursuar pagesën.',
  'refund.cancelled_by_operator': 'Mbështetja jonë e ka anuluar këtë porosi, dhe jua kemi rimbursuar pagesën.',
  'refund.returned_by_operator':
    'Mbështetja jonë e ka marrë mbrapsht këtë porosi të papërdorur, dhe jua kemi rimbursuar pagesën.',
  'refund.ended_by_provider':
    'Rrjeti e ka ndërprerë atë që porositët para se të mund ta përdornit, prandaj jua kemi rimbursuar pagesën.',
  'refund.fraud_warning':
    'Banka e kartës e ka raportuar këtë pagesë si mundësisht mashtruese, prandaj e kemi rimbursuar. Një eSIM i kësaj porosie nuk mund të instalohet më.',
  'refund.withdrawn': 'Ju jeni tërhequr nga kjo kontratë, prandaj jua kemi rimbursuar pagesën.',
  'refund.refunded_elsewhere':
    'Pagesa juaj u rimbursua para se kjo porosi të dorëzohej, prandaj nuk e kemi dorëzuar. Një eSIM i kësaj porosie nuk mund të instalohet.',
  'refund.paid_after_cancel': 'Pagesa juaj mbërriti pasi porosia kishte përfunduar, prandaj jua kemi rimbursuar.',
  'refund.topUp': 'Të dhënat nuk mundën t’i shtoheshin eSIM-it tuaj, prandaj jua kemi rimbursuar pagesën.',
  'refund.topUpTakenBack': 'Jua kemi rimbursuar pagesën për këto të dhëna. eSIM-i mbetet juaji.',
  'refund.topUpEnded':
    'Rrjeti e ka ndërprerë eSIM-in tuaj para se të mund t’i përdornit këto të dhëna, prandaj jua kemi rimbursuar pagesën për to.',
  'refund.topUpWarned':
    'Banka e kartës e ka raportuar këtë pagesë si mundësisht mashtruese, prandaj e kemi rimbursuar. Të dhënat që nuk ishin shtuar ende nuk do t’i shtohen më eSIM-it tuaj.',
  'refund.topUpWithdrawn': 'Ju jeni tërhequr nga kjo kontratë, prandaj jua kemi rimbursuar pagesën për këto të dhëna.',
  'refund.topUpElsewhere':
    'Pagesa juaj u rimbursua para se këto të dhëna të ishin në eSIM-in tuaj, prandaj nuk u shtuan.',
  'partial.kept':
    'Ju kemi rimbursuar {amount} nga shuma që keni paguar për këtë porosi. Ajo që porositët mbetet juaja: për të nuk ndryshon asgjë.',
  'partial.returned':
    'Ju kemi rimbursuar {amount} nga shuma që keni paguar për këtë porosi. Porosia u kthye e papërdorur.',

  'apology.subject': 'Na vjen keq për porosinë tuaj: {place}',
  'apology.text':
    'Një ndërprerje te ne ka penguar porosinë tuaj. Faji është yni dhe ju kërkojmë ndjesë. Do të merrni një e-mail tjetër sapo porosia juaj të jetë dorëzuar ose paratë të jenë rrugës për t’u kthyer; nuk keni nevojë të bëni asgjë.',
  'apology.write': 'Nëse diçka ende nuk është në rregull, ju lutemi na shkruani në {address}.',
  'refundFailed.subject': 'Rimbursimi juaj prej {amount} nuk mbërriti',
  'refundFailed.text':
    'Ne jua kemi borxh këtë shumë dhe u përpoqëm t’jua rimbursojmë, por banka juaj nuk e pranoi. Ndoshta karta ka skaduar ose llogaria është mbyllur.',
  'refundFailed.write':
    'Ju lutemi na shkruani në {address} dhe do të gjejmë një mënyrë tjetër. Mos na dërgoni kurrë numër karte me e-mail.',

  'cancelled.subject': 'Porosia juaj është anuluar: {place}',
  'cancelled.text':
    'Nuk ju është marrë asnjë pagesë. Nëse banka juaj shfaq një shumë të rezervuar, ajo zhduket brenda pak ditësh.',
  'notAccepted.text':
    'Nuk mundëm ta pranojmë pagesën për këtë porosi, prandaj nuk u dorëzua asgjë. Po e shqyrtojmë çështjen dhe do t’ju shkruajmë.',
  'notAccepted.write':
    'Nëse keni ndonjë pyetje ndërkohë, ju lutemi na shkruani në {address}. Mos na dërgoni kurrë numër karte me e-mail.',

  'withdrawal.subject': 'E kemi marrë deklaratën tuaj të tërheqjes',
  'withdrawal.text':
    'Me këtë e-mail konfirmojmë se e kemi marrë tërheqjen tuaj nga kontrata. Nuk keni nevojë të bëni asgjë tjetër. Ju lutemi ruajeni.',
  'withdrawal.money': 'Ju rimbursojmë në mënyrën si keni paguar, pa rimbursimet e mëparshme.',
  'withdrawal.statement': 'Deklarata juaj',
  'withdrawal.name': 'Emri',
  'withdrawal.contract': 'Kontrata',
  'withdrawal.confirmedTo': 'Konfirmuar te',
  'withdrawal.received': 'Marrë më',
  'withdrawal.youGetBack': 'Ju kthehen',
  'withdrawal.by': 'Jo më vonë se',

  'topUp.subject': 'eSIM-i juaj ka më shumë të dhëna: {place}',
  'topUp.text': 'Faleminderit. Të dhënat janë tashmë në eSIM-in tuaj: nuk ka asgjë për të instaluar.',

  'esim.in_use.subject': 'eSIM-i juaj është i lidhur: {place}',
  'esim.in_use.text': 'eSIM-i juaj është në rrjet. Rrugë të mbarë!',
  'esim.in_use.action': 'Ndiqni përdorimin',
  'esim.low_data.subject': 'Keni përdorur 80% të të dhënave tuaja: {place}',
  'esim.low_data.text':
    'Katër të pestat e të dhënave tuaja janë përdorur. Mund të shtoni të tjera sa kohë eSIM-i është i vlefshëm, pa instaluar asgjë.',
  'esim.low_data.noMore':
    'Katër të pestat e të dhënave tuaja janë përdorur. Këtij eSIM-i nuk mund t’i shtohen të dhëna: nëse ju duhen më shumë, në aplikacion gjeni eSIM-e të reja.',
  'esim.low_data.action': 'Shtoni të dhëna',
  'esim.used_up.subject': 'Të gjitha të dhënat tuaja janë përdorur: {place}',
  'esim.used_up.text':
    'Të gjitha të dhënat tuaja janë përdorur. Mund të shtoni të tjera sa kohë eSIM-i është i vlefshëm, pa instaluar asgjë.',
  'esim.used_up.noMore':
    'Të gjitha të dhënat tuaja janë përdorur. Këtij eSIM-i nuk mund t’i shtohen të dhëna: nëse ju duhen më shumë, në aplikacion gjeni eSIM-e të reja.',
  'esim.used_up.action': 'Shtoni të dhëna',
  'esim.last_day.subject': 'eSIM-i juaj është i vlefshëm edhe një ditë: {place}',
  'esim.last_day.text': 'eSIM-i juaj skadon brenda një dite. Bashkë me të humbasin edhe të dhënat e mbetura.',
  'esim.last_day.action': 'Shihni eSIM-in tuaj',
  'esim.expired.subject': 'eSIM-i juaj ka skaduar: {place}',
  'esim.expired.text': 'eSIM-i juaj ka skaduar. Mund ta fshini nga telefoni.',
  'esim.expired.action': 'Shihni eSIM-in tuaj',
  'esim.ended_early.subject': 'eSIM-i juaj u çaktivizua: {place}',
  'esim.ended_early.text':
    'Rrjeti e ka ndërprerë eSIM-in tuaj para kohe. Po e shqyrtojmë çështjen. Nëse ishte i papërdorur, jua rimbursojmë pagesën; përndryshe na shkruani nëse ju duhej ende.',
  'esim.ended_early.action': 'Shihni eSIM-in tuaj',
} satisfies Translation<typeof english>
