import type { install as english } from '../en/install-page.ts'
import type { Translation } from '../translation.ts'

/** iOS is not there in Albanian: its settings keep their English names, in quotation marks. */
export const install = {
  title: 'eSIM-i juaj: {place}',
  refunded:
    'Kjo porosi u rimbursua. {count, plural, one {eSIM-i i saj nuk mund të instalohet më.} other {eSIM-et e saj nuk mund të instalohen më.}}',
  all: 'eSIM-et e kësaj porosie',
  short: 'eSIM-i {number, number}',
  secret: 'Mos ia tregoni askujt këtë adresë: kushdo që e ka, mund ta instalojë eSIM-in.',
  more: 'Shtoni të dhëna',
  moreOrReturn: 'Shtoni të dhëna ose kthejeni porosinë të papërdorur',
  order: 'Shihni porosinë',
  orderOrReturn: 'Shihni porosinë ose kthejeni të papërdorur',
  data: 'Të dhënat',
  worksIn: 'Funksionon në',
  countries: '{count, plural, other {Të gjitha # shtetet}}',
  phone: 'Telefoni',
  other: 'Tjetër',
  copied: 'U kopjua',
  copy: 'Kopjoni',
  copyOf: 'Kopjoni {label}: {name}',
  oneLine: 'Në një rresht',
  install: 'Instalimi',
  there: 'Në destinacion',
  codes: 'Kodet e këtij eSIM-i',
  scan: 'Skanojeni këtë me telefonin që do ta përdorë eSIM-in, nga një ekran tjetër:',
  once: 'Mund të instalohet një herë, në një telefon. Mos e fshini nga telefoni para fundit të udhëtimit: fikeni kur nuk ju duhet; ditët e tij vazhdojnë. ICCID-ja është numri i tij serik, për të cilin pyet mbështetja jonë.',

  'state.new': 'Gati për t’u instaluar',
  'state.installed': 'I instaluar, ende i papërdorur',
  'state.in_use': 'Në përdorim',
  'state.used_up': 'Të gjitha të dhënat janë përdorur',
  'state.expired': 'Ka skaduar',
  'state.removed': 'U fshi nga telefoni',
  'state.cancelled': 'U kthye',
  'state.suspended': 'Pezulluar',
  'state.unknown': 'Rrjeti nuk e ka treguar ende gjendjen e tij',
  ended: 'Skadoi më {at}.',
  validUntil: 'I vlefshëm deri më {at}.',
  validFor: 'Vlefshmëria: {days}.',
  'hint.installation': 'Instalojeni pak para nisjes.',
  'hint.first_use': 'Mund ta instaloni që sot në shtëpi.',
  installBefore: 'Instalojeni para datës {at}.',
  used: '{used} të përdorura, pa kufi',
  usedOf: '{used} nga {total} të përdorura',
  usedBar: 'Të dhënat e përdorura: {name}',
  read: 'Lexuar në rrjet më {at}. Rrjetet numërojnë me disa orë vonesë.',

  'step.wifi': 'Lidhuni me Wi-Fi.',
  'step.other.wifi': 'Lidheni me Wi-Fi telefonin që do ta përdorë eSIM-in.',
  'step.other.open':
    'Në iPhone hapni „Settings”, „Mobile Service” ose „Cellular”, „Add eSIM”, „Use QR Code”; në Android hapni „Cilësimet”, „Rrjeti dhe interneti”, „Kartat SIM”, „Shto eSIM”.',
  'step.other.scan': 'Skanoni kodin QR më poshtë. Nëse kamera nuk mund të përdoret, shkruani me dorë kodet nën të.',
  'step.other.wait': 'Prisni derisa telefoni të thotë se eSIM-i u shtua, gjë që zgjat disa minuta.',
  'step.ios.tap': 'Në iOS 17.4 ose më të ri prekni këtu; telefoni shfaq „Activate eSIM”:',
  'step.ios.button': 'Instalojeni në këtë iPhone',
  'step.ios.older':
    'Në një iPhone më të vjetër hapni „Settings”, „Mobile Service” ose „Cellular”, „Add eSIM”, „Use QR Code”. Skanoni kodin më poshtë nga një ekran tjetër, ose zgjidhni „Enter Details Manually” dhe kopjoni adresën SM-DP+ dhe kodin e aktivizimit.',
  'step.ios.continue':
    'Prekni „Continue” derisa telefoni të thotë „Mobile Setup Complete” ose „Cellular Setup Complete”. Kjo mund të zgjasë disa minuta: mos e ndërprisni. Quajeni linjën „Udhëtim”.',
  'step.ios.keep': 'Mbajeni linjën tuaj si të parazgjedhur për thirrje dhe mesazhe.',
  'step.android.tap': 'Disa telefona Android e instalojnë me një prekje:',
  'step.android.button': 'Instalojeni në këtë telefon Android',
  'step.android.others':
    'Në të tjerët hapni „Cilësimet”, „Rrjeti dhe interneti”, „Kartat SIM”, „Shto eSIM”. Samsung: „Lidhjet”, „Menaxheri i SIM-it”, „Shto eSIM”. Skanoni kodin më poshtë nga një ekran tjetër, ose zgjidhni ta shkruani dhe kopjoni „Në një rresht”.',
  'step.android.wait':
    'Prekni „Shkarko” ose „Shto”, dhe prisni derisa telefoni të thotë se eSIM-i u shtua. Kjo mund të zgjasë disa minuta: mos e ndërprisni.',
  'step.android.keep': 'Mbajeni SIM-in tuaj për thirrje dhe mesazhe.',

  'roaming.ios':
    '„Settings”, „Mobile Service” ose „Cellular”, ky eSIM: aktivizoni linjën dhe „Data Roaming”, dhe zgjidheni te „Mobile Data” ose „Cellular Data”.',
  'roaming.android':
    '„Cilësimet”, „Rrjeti dhe interneti”, „Kartat SIM”, ky eSIM: aktivizoni „Përdor SIM-in”, „Të dhënat celulare” dhe „Roaming”.',
  'roaming.other':
    'Te cilësimet e telefonit aktivizoni këtë eSIM, zgjidheni për të dhënat celulare dhe aktivizoni roamingun e të dhënave.',
  apn: 'Nëse pas disa minutash nuk hapet asnjë faqe, shkruani pikën e qasjes (APN) <code>{apn}</code> te cilësimet e këtij eSIM-i.',
  apnItself: 'Telefoni e vendos vetë pikën e qasjes (APN).',
  ownSim: 'Lëreni të çaktivizuar roamingun e të dhënave të SIM-it tuaj, që të mos kushtojë asgjë.',

  'help.suspended':
    'Tani për tani nuk lidhet me internetin, zakonisht sepse një bankë po shqyrton një pagesë të kësaj porosie. Nëse nuk dini gjë për këtë, ju lutemi na shkruani.',
  'help.removed':
    'Nuk mund të instalohet përsëri, në asnjë telefon. Nëse ju duhen më shumë të dhëna, në aplikacion gjeni eSIM-e të reja; nëse nuk e keni fshirë vetë, ju lutemi na shkruani.',
  'help.usedUp':
    'Këtij eSIM-i nuk mund t’i shtohen të dhëna: nëse ju duhen më shumë, në aplikacion gjeni eSIM-e të reja.',
  'help.title': 'Nëse nuk funksionon',
  'help.code': 'Telefoni nuk e pranon kodin',
  'help.code.once': 'Mund të instalohet një herë. Nëse është tashmë në një telefon, ai shfaqet atje te kartat SIM.',
  'help.code.lock':
    'Telefoni nuk duhet të jetë i kyçur nga operatori dhe duhet të njohë eSIM: thirrni *#06#, duhet të shfaqet një EID.',
  'help.code.wifi': 'Përdorni Wi-Fi. Të dhënat celulare të SIM-it që po zëvendësohet mund ta ndërpresin shkarkimin.',
  'help.code.hand': 'Shkruajini kodet me dorë, në vend që t’i skanoni.',
  'help.network': 'Është i instaluar, por nuk ka rrjet',
  'help.network.home': 'Lidhet vetëm në destinacion. Në shtëpi është në rregull të mos ketë shërbim.',
  'help.network.ios':
    'Te qendra e kontrollit aktivizoni modalitetin e aeroplanit për dhjetë sekonda dhe çaktivizojeni përsëri.',
  'help.network.android':
    'Te cilësimet e shpejta aktivizoni modalitetin e aeroplanit për dhjetë sekonda dhe çaktivizojeni përsëri.',
  'help.network.other':
    'Aktivizoni modalitetin e aeroplanit për dhjetë sekonda dhe çaktivizojeni përsëri, ose rinisni telefonin.',
  'help.network.hand':
    'Zgjidheni rrjetin me dorë: çaktivizoni zgjedhjen automatike të rrjetit, prisni listën dhe provoni secilin.',
  'help.data': 'Ka rrjet, por nuk hapet asnjë faqe',
  'help.data.roaming':
    'Roamingu i të dhënave i këtij eSIM-i duhet të jetë i aktivizuar, dhe të dhënat celulare duhet ta përdorin këtë eSIM.',
  'help.data.apn': 'Shkruani pikën e qasjes (APN) nga më sipër, nëse është shënuar atje.',
  'help.data.used': 'Shikoni më sipër nëse të gjitha të dhënat janë përdorur ose ditët kanë mbaruar.',
  'help.write':
    'Asgjë nuk ndihmoi? Shkruani në <mail>{address}</mail> me ICCID-në dhe çfarë shfaq telefoni. Një eSIM që nuk u përdor kurrë mund të kthehet me rimbursim të plotë.',
} satisfies Translation<typeof english>
