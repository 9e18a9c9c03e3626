/**
 * U3: messages about orders are sent once. The install page has what a traveller needs on each kind of phone, before
 * and after the installation.
 */
import { expect, test } from 'vitest'
import { renderInstall } from '../../api/pages/install/install.tsx'
import type { InstallableEsim } from '../../api/pages/install/install-steps.tsx'
import { textsOf } from '../../messages/texts.ts'
import { shareStack } from '../harness/harness.ts'
import { untilWatched } from '../harness/purchases.ts'
import { eachProvider, testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const gigabyte = 2 ** 30

const agents = {
  ios: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
  android:
    'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Mobile Safari/537.36',
  other: 'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0',
}
const stepsOf = {
  ios: 'Mobile Setup Complete',
  android: 'Samsung: Connections, SIM manager',
  other: 'On an iPhone open Settings',
}

const bought = async (packageCode: string) => {
  const order = await harness.buy(await harness.signUp(), { packageCode })
  const open = async (query = '', agent = agents.other) =>
    (await fetch(order.installUrl + query, { headers: { 'user-agent': agent } })).text()
  return { order, open, esim: order.esims[0] }
}

test('the steps are those of the phone that asks, or of the one that was chosen', async () => {
  const { open } = await bought(testPackages.onlyAiralo)
  for (const [device, agent] of Object.entries(agents)) {
    for (const html of [await open('', agent), await open(`?device=${device}`)]) {
      for (const [other, step] of Object.entries(stepsOf)) expect(html.includes(step), device).toBe(other === device)
    }
  }
  expect(await open('', '')).toContain(stepsOf.other)
})

test('the page offers what is still possible with the eSIM, and says what to do when it does not go online', () => {
  const page = { texts: textsOf('en'), supportMail: 'help@ama-esim.example', address: '/i/x' }
  const codes = { smdpAddress: null, matchingId: null, confirmationCode: null, apn: null, iosInstallUrl: null }
  const esim = {
    ...codes,
    iccid: '8900000000000000000',
    activationCode: 'LPA:1$a$b',
    androidInstallUrl: null,
    qr: 'data:image/png;base64,',
    state: 'new',
    suspended: false,
    totalBytes: gigabyte,
    usedBytes: 0,
    checkedAt: new Date(0),
    validityStarts: null,
    activatedAt: null,
    unusedUntil: null,
    expiresAt: null,
  } satisfies InstallableEsim
  const bought = { destination: 'DE', countries: ['DE'], dataBytes: gigabyte, daily: false, days: 7, refunded: false }
  const shown = (change: Partial<InstallableEsim>, takesTopUps: boolean) =>
    renderInstall({ ...bought, takesTopUps, device: 'ios', esims: [{ ...esim, ...change }] }, page)
  for (const [change, takesTopUps, words] of [
    [{}, true, 'Add data, or return the order unused'],
    [{}, false, 'See the order, or return it unused'],
    [{ state: 'in_use' }, true, '>Add data</a>'],
    [{ state: 'installed' }, false, '>See the order</a>'],
    [{ state: 'used_up' }, true, '>Add data</a>'],
    [{ state: 'used_up' }, false, 'This eSIM takes no more data.'],
    [{ state: 'in_use', suspended: true }, false, 'It cannot go online for now'],
    [{ state: 'removed' }, false, 'It cannot be installed again'],
  ] satisfies [Partial<InstallableEsim>, boolean, string][]) {
    const html = shown(change, takesTopUps)
    expect([words, html.includes(words)]).toEqual([words, true])
    const offersReturn = (text: string) => /return (?:it|the order) unused/.test(text)
    expect([words, offersReturn(html)]).toEqual([words, offersReturn(words)])
  }
})

test('an unknown device is refused by name', async () => {
  const { order } = await bought(testPackages.onlyAiralo)
  const response = await fetch(`${order.installUrl}?device=toaster`)
  expect(response.status).toBe(400)
  expect(await response.text()).toContain('device')
})

test.each(eachProvider)(
  '%s: the page says when the days begin, as the provider does',
  async (simulator, packageCode) => {
    const { open } = await bought(packageCode)
    const start = {
      esimAccess: 'Valid for 7\u00a0days from its installation on a phone. Install it shortly before you leave.',
      airalo: 'Valid for 7\u00a0days from its first connection to a network at your destination.',
    }
    expect(await open()).toContain(start[simulator])
  },
)

test.each(eachProvider)(
  '%s: codes, APN and the roaming step stay after the installation',
  async (simulator, packageCode) => {
    const { order, open, esim } = await bought(packageCode)
    const { sql } = harness.stack.context
    const [row] = await sql<{ apn: string | null }[]>`select apn from esims where order_id = ${order.id}`
    const lasting = [
      esim.iccid,
      esim.activationCode,
      esim.smdpAddress,
      esim.matchingId,
      'oaming',
      row?.apn ?? 'by itself',
    ]
    const before = await open()
    for (const text of [...lasting, 'data:image/png']) expect(before, text).toContain(text)

    await untilWatched(harness.stack, order.id)
    await harness.sims[simulator].do('install', { iccid: esim.iccid })
    await harness.sims[simulator].do('use', { iccid: esim.iccid, bytes: 0.9375 * gigabyte })
    await until('the usage is shown', async () => (await open()).includes('960\u00a0MB of 1\u00a0GB used'))
    const after = await open()
    for (const text of [...lasting, 'Read at the network on', 'Valid until']) expect(after, text).toContain(text)
    expect(after).not.toContain('data:image/png')
  },
)
