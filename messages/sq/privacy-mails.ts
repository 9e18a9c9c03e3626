import type { privacy as english } from '../en/privacy-mails.ts'
import type { Translation } from '../translation.ts'

export const privacy = {
  'policy.reason':
    'Ju e merrni këtë e-mail sepse keni një llogari AMA eSIM: kemi premtuar t’ju njoftojmë. Nuk është reklamë.',
  'policy.subject': 'Politika jonë e privatësisë ndryshon më {day}',
  'policy.preview': 'Çfarë ndryshon dhe çfarë mund të bëni.',
  'policy.text': 'Deri atëherë vlen politika aktuale. Këto ndryshojnë me versionin {version}:',
  'policy.readNew': 'Lexoni politikën e re',
  'policy.disagree': 'Nëse nuk pajtoheni',
  'policy.delete': 'Mund ta fshini llogarinë tuaj në çdo kohë, në aplikacion ose te {url}.',
  'policy.versions': 'Politika në fuqi dhe të gjitha versionet e mëparshme janë te {url}.',
  'moved.subject': 'Politika jonë e privatësisë ndryshon më vonë: më {day}',
  'moved.preview': 'Data është shtyrë; ndryshimet mbeten të njëjta.',
  'moved.text':
    'Ju kemi shkruar se do të vijë versioni {version}. Kemi premtuar t’i njoftojmë të gjithë 30 ditë më parë dhe nuk arritëm t’i njoftojmë të gjithë në kohë, prandaj ai hyn në fuqi më vonë: më {day}. Deri atëherë vlen politika aktuale.',
  'withdrawn.subject': 'Politika jonë e privatësisë mbetet siç është',
  'withdrawn.preview': 'Ndryshimi që kemi njoftuar nuk do të vijë.',
  'withdrawn.text':
    'Ju kemi shkruar, ose ju kemi treguar gjatë regjistrimit, se do të vijë versioni {version}. E kemi tërhequr: ai nuk hyn kurrë në fuqi dhe politika aktuale mbetet në fuqi.',
  'withdrawn.action': 'Lexoni politikën',

  'request.reason': 'Ju e merrni këtë e-mail sepse na keni pyetur për privatësinë tuaj.',
  'request.reference': 'Numri i referencës',
  'request.received': 'Marrë më',
  'request.answerBy': 'Përgjigjja deri më',
  'request.weAnswerBy': 'Ju përgjigjemi deri më {day}.',
  'acknowledged.subject': 'E kemi marrë kërkesën tuaj për privatësinë',
  'acknowledged.text': 'Faleminderit që na shkruat. Një person e lexon dhe ju përgjigjet brenda 30 ditësh.',
  'acknowledged.note':
    'Të dhënat tuaja mund t’i shihni, korrigjoni, eksportoni dhe fshini vetë në çdo kohë, në aplikacion ose te {url}.',
  'answered.subject': 'Përgjigjja jonë për kërkesën tuaj për privatësinë',
  'answered.preview': 'Numri i referencës {reference}',
  'answered.note':
    'Nëse nuk e pranoni përgjigjen, na ktheni përgjigje ose ankohuni te një autoritet për mbrojtjen e të dhënave.',
  'extended.subject': 'Kërkesa juaj për privatësinë zgjat më shumë',
  'extended.complexity':
    'Kërkesa juaj kërkon më shumë punë se shumica. Ligji na jep më shumë kohë për këtë dhe ne nuk përdorim më shumë sesa na duhet.',
  'extended.number_of_requests':
    'Kemi disa kërkesa tuajat për t’u përgjigjur. Ligji na jep më shumë kohë për këtë dhe ne nuk përdorim më shumë sesa na duhet.',
  'extended.note':
    'Nëse nuk pajtoheni, përgjigjuni këtij e-maili ose ankohuni te një autoritet për mbrojtjen e të dhënave.',

  'breach.subject': 'Dikush i ka parë të dhënat tuaja',
  'breach.preview': 'Çfarë ndodhi, çfarë mund të pasojë dhe çfarë mund të bëni.',
  'breach.reason': 'Ju e merrni këtë e-mail sepse ligji na detyron t’ju njoftojmë për një cenim të të dhënave tuaja.',
  'breach.text':
    'Përshëndetje, {firstName}. Të dhënat e llogarisë suaj AMA eSIM u lexuan nga dikush që nuk duhej t’i shihte. Na vjen keq.',
  'breach.when': 'Kur',
  'breach.period': '{first} deri më {last}',
  'breach.read': 'Çfarë u lexua',
  'breach.consequences': 'Çfarë mund të pasojë',
  'breach.measures': 'Çfarë kemi bërë',
  'breach.contact': 'Kë mund të pyesni',
  'breach.note':
    'Kini kujdes me e-mailet dhe telefonatat që përmendin porositë tuaja. Ne nuk kërkojmë kurrë fjalëkalime apo numra kartash. Mund të ankoheni edhe te një autoritet për mbrojtjen e të dhënave.',
  'held.account':
    'emri, adresa e e-mailit, numri i telefonit, adresat IP dhe identifikuesit e Apple, Google dhe Firebase',
  'held.consents': 'pëlqimi për oferta',
  'held.devices': 'identifikuesit e pajisjeve, modeli, versionet e aplikacionit dhe të sistemit',
  'held.emailChanges': 'adresa e vjetër dhe e re e e-mailit',
  'held.orders': 'blerjet: paketat, destinacionet, datat dhe shumat',
  'held.esims': 'numrat e eSIM-eve (ICCID), kodet e aktivizimit dhe përdorimi i të dhënave',
  'held.privacyRequests': 'kërkesat për privatësinë me tekstet dhe përgjigjet e tyre',
  'held.policyNotices': 'nëse një njoftim ka mbërritur te ju',
  'held.accesses': 'kush i ka lexuar të dhënat tuaja',
  'held.everything': 'gjithçka që shërbimi ka për ju',

  'promotion.reason': 'Ju e merrni këtë e-mail sepse keni kërkuar ofertat tona. <link>Ndalojini</link> me një prekje.',
} satisfies Translation<typeof english>
