import type { page as english } from '../en/pages.ts'
import type { Translation } from '../translation.ts'

export const page = {
  switch: 'Gjuha',
  accountLanguage: 'Gjuha e e-maileve dhe faqeve tona',
  save: 'Ruajeni',

  'unsubscribe.ask': 'Të mos merrni më oferta?',
  'unsubscribe.done': 'Nuk do të merrni më oferta',
  'unsubscribe.off': 'Ju nuk merrni oferta',
  'unsubscribe.unknown': 'Kjo lidhje nuk funksionon',
  'unsubscribe.askText': 'Oferta u dërgojmë vetëm atyre që i kanë kërkuar. Një klikim, dhe ndalojmë.',
  'unsubscribe.stop': 'Ndaloni ofertat',
  'unsubscribe.stays':
    'Do të vazhdoni të merrni e-maile për blerjet tuaja. Ofertat mund t’i aktivizoni përsëri te <data>Të dhënat e mia</data>.',
  'unsubscribe.doneText':
    'Kjo vlen tani e tutje, për çdo lloj oferte. Do të vazhdoni të merrni e-maile për blerjet tuaja. Ofertat mund t’i aktivizoni përsëri te <data>Të dhënat e mia</data>.',
  'unsubscribe.offText':
    'Ofertat janë të çaktivizuara për këtë adresë, ose llogaria është fshirë. Nuk keni nevojë të bëni asgjë tjetër.',
  'unsubscribe.unknownText':
    'Ndoshta nuk është kopjuar e plotë. Ofertat mund t’i çaktivizoni edhe te <data>Të dhënat e mia</data>.',

  'emailChange.ask_old': 'Ta ndryshojmë adresën e llogarisë suaj?',
  'emailChange.ask_new': 'Ta përdorim këtë adresë për llogarinë tuaj?',
  'emailChange.agreed': 'Faleminderit',
  'emailChange.changed': 'Adresa u ndryshua',
  'emailChange.over': 'Adresa mbetet siç ishte',
  'emailChange.agree': 'E pranoj',
  'emailChange.askOldText':
    'Prej atëherë e-mailet për llogarinë dhe eSIM-et tuaja shkojnë vetëm te {address}, dhe kush i lexon hyn në llogari.',
  'emailChange.askOldNote':
    'Nëse nuk e keni kërkuar ju, ose kjo nuk është adresa juaj, mbylleni këtë faqe dhe na shkruani: pa ju nuk ndodh asgjë.',
  'emailChange.askNewText': 'E-mailet për llogarinë dhe eSIM-et e saj do të vijnë këtu.',
  'emailChange.askNewNote': 'Nëse nuk e dini për çfarë bëhet fjalë, mbylleni këtë faqe.',
  'emailChange.agreedText': 'Edhe adresa tjetër duhet ta pranojë: i kemi dërguar një lidhje.',
  'emailChange.changedText': 'Tani e tutje e-mailet shkojnë në adresën e re. Hyni përsëri aty ku kishit hyrë në ueb.',
  'emailChange.overText': 'Ndryshimi u zëvendësua ose u anulua, zgjati tepër, ose adresa e re ka një llogari të vetën.',

  'policy.title': 'Politika e privatësisë',
  'policy.current': 'Versioni {version}, në fuqi që nga {day}.',
  'policy.earlier': 'Versionet e mëparshme',
  'policy.version': 'Versioni {version}, {life}.',
  'policy.all': 'Politika në fuqi dhe të gjitha versionet e tjera',
  'policy.coming': 'Nga {day}',
  'policy.comingText': '<link>Versioni {version}</link> hyn në fuqi më {day}. Deri atëherë vlen versioni më poshtë.',
  'policy.comingMoved':
    '<link>Versioni {version}</link> hyn në fuqi më {day} (fillimisht i njoftuar për më {announced}: nuk mund të njoftoheshin të gjithë në kohë). Deri atëherë vlen versioni më poshtë.',
  'policy.changes': 'Çfarë ndryshon:',
  'policy.life.inForce': 'në fuqi që nga {day}',
  'policy.life.withdrawn': 'i tërhequr më {day}, nuk hyri kurrë në fuqi',
  'policy.life.withdrawnOnce': 'i tërhequr, nuk hyri kurrë në fuqi',
  'policy.life.superseded': 'në fuqi nga {from} deri më {to}',
  'policy.life.supersededOnce': 'në fuqi nga {from}',
  'policy.life.coming': 'hyn në fuqi më {day}',
  'policy.life.comingMoved':
    'hyn në fuqi më {day} (fillimisht i njoftuar për më {announced}: nuk mund të njoftoheshin të gjithë në kohë)',
} satisfies Translation<typeof english>
