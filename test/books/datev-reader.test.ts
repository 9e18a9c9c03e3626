/**
 * U6: accounting and tax duties are met. The batch for DATEV, read by a program that nobody here wrote. It is no
 * dependency of ours: `python3 -m venv ~/.cache/ama-esim/german-ledger-0.11.0` and `pip install
 * mloda-community-german-ledger==0.11.0` of that environment let these tests run. Its authors have tested it with sample
 * books of DATEV; DATEV's own programs are none that a test could start.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { type DatevBatch, type DatevPosting, datevHead, datevLine } from '../../shared/datev.ts'
import { germanLedgerPath, lacks } from '../harness/optional/optional.ts'

const execute = promisify(execFile)

/** Prints the header and the two legs of each posting, or why the program refuses the file. */
const script = `
import json, sys
from mloda.community.feature_groups.experimental.german_ledger.datev import DatevRefusal, read_batch
try:
    header, legs = read_batch(sys.argv[1])
except DatevRefusal as refusal:
    print(json.dumps({"refused": str(refusal)}))
else:
    columns = ["Leg", "Konto", "Kontoart", "Betrag", "Buchungsdatum", "BU-Schlüssel", "Belegfeld 1", "Festschreibung"]
    rows = [[str(value) for value in row] for row in zip(*(legs[name] for name in columns))]
    print(json.dumps({"header": {name: str(value) for name, value in vars(header).items()}, "legs": rows}))
`

const outcome = z.union([
  z.strictObject({ refused: z.string() }),
  z.strictObject({ header: z.record(z.string(), z.string()), legs: z.array(z.array(z.string())) }),
])

async function read(content: Buffer): Promise<z.infer<typeof outcome>> {
  const folder = await mkdtemp(join(tmpdir(), 'datev-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'EXTF_Buchungsstapel_2026-11-01_2026-11-30.csv')
  await writeFile(file, content)
  const { stdout } = await execute(germanLedgerPath(), ['-c', script, file])
  return outcome.parse(JSON.parse(stdout))
}

const batch: DatevBatch = {
  consultant: 29098,
  client: 55003,
  accountLength: 4,
  fiscalYearStart: '2026-01-01',
  from: '2026-11-01',
  to: '2026-11-30',
  currency: 'EUR',
  createdAt: new Date('2026-12-01T08:00:00.439Z'),
}
const invoice: DatevPosting = {
  grossMinor: 123_456,
  currency: 'EUR',
  account: '1360',
  contraAccount: '8400',
  taxKey: undefined,
  documentDay: '2026-11-05',
  documentNumber: 'AMA-2026-000001',
  text: 'Österreich; "5 GB"\n€ 漢',
  place: undefined,
}
const fileOf = (postings: Partial<DatevPosting>[], given: Partial<DatevBatch> = {}): Buffer =>
  Buffer.concat([datevHead({ ...batch, ...given }), ...postings.map((each) => datevLine({ ...invoice, ...each }))])

test.skipIf(lacks('mloda-community-german-ledger'))(
  'U6: another program reads each posting of the batch for DATEV as it was meant (skipped without mloda-community-german-ledger)',
  async () => {
    const credited = { grossMinor: -123, documentDay: '2026-11-30', documentNumber: 'AMA-2026-000002' }
    const abroad = { contraAccount: '8320', taxKey: '240', place: { country: 'FI', rateBps: 2550 } }
    const [longest, person] = ['x'.repeat(36), '10000']
    const found = await read(
      fileOf([{}, { ...abroad, ...credited }, { grossMinor: 0, documentNumber: longest, account: person }]),
    )
    expect(found).toEqual({
      header: expect.objectContaining({
        version: '700',
        category: '21',
        format_version: '13',
        berater: '29098',
        mandant: '55003',
        sachkontenlaenge: '4',
        datum_von: '2026-11-01',
        datum_bis: '2026-11-30',
        festschreibung: 'False',
      }),
      legs: [
        ['K', '1360', 'Sachkonto', '1234.56', '2026-11-05', '', 'AMA-2026-000001', 'False'],
        ['G', '8400', 'Sachkonto', '-1234.56', '2026-11-05', '', 'AMA-2026-000001', 'False'],
        ['K', '1360', 'Sachkonto', '-1.23', '2026-11-30', '0240', 'AMA-2026-000002', 'False'],
        ['G', '8320', 'Sachkonto', '1.23', '2026-11-30', '0240', 'AMA-2026-000002', 'False'],
        ['K', '10000', 'Personenkonto', '0.00', '2026-11-05', '', longest, 'False'],
        ['G', '8400', 'Sachkonto', '0.00', '2026-11-05', '', longest, 'False'],
      ],
    })
  },
)

test.skipIf(lacks('mloda-community-german-ledger'))(
  'U6: another program refuses a batch for DATEV that says what it must not (skipped without mloda-community-german-ledger)',
  async () => {
    const outside = await read(fileOf([{ documentDay: '2026-12-01' }]))
    const longAccount = await read(fileOf([{ contraAccount: '840000' }]))
    const noRate = await read(fileOf([{ currency: 'USD' }]))
    expect([outside, longAccount, noRate]).toEqual([
      { refused: expect.stringContaining('Belegdatum') },
      { refused: expect.stringContaining('Sachkontenlänge') },
      { refused: expect.stringContaining('without Basisumsatz') },
    ])
  },
)
