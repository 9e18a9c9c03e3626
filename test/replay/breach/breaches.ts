/** Scenarios of personal data breaches. */
import { randomUUID } from 'node:crypto'
import { insertBreach } from '../../../db/access/breaches.ts'
import { breachType, breachWorkflowId } from '../../../workflows/breach/breach.contract.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Product } from '../../harness/product.ts'
import { runSteps, type Scenario } from '../scenario.ts'

export const breaches: Record<string, Scenario> = {
  'breach-settled-in-time': async (product) => {
    const { open, notifyAuthority, notifyPeople } = breachSteps(product)
    const id = await open()
    await notifyAuthority(id)
    await notifyPeople(id)
    await runSteps(product).forward(breachWorkflowId(id), '1 minute')
    return runSteps(product).untilClosed(breachWorkflowId(id))
  },
  'breach-told-overdue-and-to-nobody': async (product) => {
    const { open, notifyAuthority, notifyNobody } = breachSteps(product)
    const { forward, untilClosed } = runSteps(product)
    const id = await open()
    await forward(breachWorkflowId(id), '5 days')
    await notifyAuthority(id)
    await notifyNobody(id)
    return untilClosed(breachWorkflowId(id))
  },
  'breach-of-nothing': async (product) => {
    const { start, untilClosed } = runSteps(product)
    const input = { breachId: randomUUID(), authorityDueAt: new Date().toISOString() }
    return untilClosed(await start(breachType, [input]))
  },
  'breach-carried-on': async (product) => {
    const { start, untilClosed } = runSteps(product)
    const { notifyNobody, notifyAuthority, stored } = breachSteps(product)
    const input = await stored()
    const workflowId = await start(
      breachType,
      [{ ...input, progress: { told: 3, reminded: 1 } }],
      breachWorkflowId(input.breachId),
    )
    await notifyAuthority(input.breachId)
    await notifyNobody(input.breachId)
    return untilClosed(workflowId)
  },
  'breach-waits-for-an-operator': async (product) => breachWorkflowId(await breachSteps(product).open()),
  'breach-waits-for-an-operator-overdue': async (product) =>
    runSteps(product).forward(breachWorkflowId(await breachSteps(product).open()), '4 days'),
  'breach-waits-for-the-mail-server': async (product) => {
    const { open, notifyPeople } = breachSteps(product)
    const { mailDown, forward } = runSteps(product)
    const id = await open()
    await mailDown()
    await notifyPeople(id)
    return forward(breachWorkflowId(id), '1 hour')
  },
  'breach-waits-for-the-mailing-to-begin-again': async (product) => {
    const { open, notifyPeople } = breachSteps(product)
    const { mailDown, forward, untilIt } = runSteps(product)
    const id = await open()
    await mailDown()
    await notifyPeople(id)
    for (let halfDays = 0; halfDays < 7; halfDays += 1) await forward(breachWorkflowId(id), '12 hours')
    return untilIt(breachWorkflowId(id), 'stuck')
  },
}

const texts = { nature: 'A key was stolen.', consequences: 'Unwanted mails.', measures: 'The key was revoked.' }

function breachSteps(product: Product) {
  const { operator } = product
  const post = async (id: string, part: string, body: object) => {
    expectStatus(await operator.post(`/v1/breaches/${id}/${part}`, body), 200)
  }
  return {
    async open(): Promise<string> {
      const person = await product.signUp()
      const from = new Date()
      await operator.get(`/v1/accounts/${person.accountId}`)
      return expectStatus(await operator.post('/v1/breaches', { from: from.toISOString(), ...texts }), 201).id
    },
    notifyAuthority: (id: string) => post(id, 'authority', { toldAt: new Date().toISOString(), reference: 'A-1' }),
    notifyPeople: (id: string) => post(id, 'people', { tell: true }),
    notifyNobody: (id: string) => post(id, 'people', { tell: false, because: 'The data was encrypted.' }),
    /** A breach whose run has continued as new. */
    async stored() {
      const breachId = randomUUID()
      const now = new Date()
      const due = new Date(now.getTime() + 72 * 3_600_000)
      await insertBreach(product.context.sql, {
        id: breachId,
        key_id: null,
        session: null,
        read_from: new Date(now.getTime() - 1),
        read_until: now,
        ...texts,
        contact: 'x',
        aware_at: now,
        authority_due_at: due,
        opened_at: now,
        opened_by: 'operator:x',
      })
      await product.context.sql`update breaches set state = 'open' where id = ${breachId}`
      return { breachId, authorityDueAt: due.toISOString() }
    },
  }
}
