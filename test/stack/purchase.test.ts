/** One purchase over the whole stack: a failure here explains failures of other tests. */
import { describe, expect, test } from 'vitest'
import { shareStack } from '../harness/harness.ts'

const harness = await shareStack()

describe('a purchase over the whole stack', () => {
  test('is paid, provisioned, delivered and in the books', async () => {
    const person = await harness.signUp()
    const order = await harness.buy(person)
    expect(order).toMatchObject({ status: 'delivered', accountId: person.accountId })
    expect(order.esims).toHaveLength(1)
    const [mail] = await harness.sims.mailbox.do('wait', { to: person.email })
    expect(mail?.subject).toMatch(/eSIM/)
    await harness.checkBooks()
  })

  test('sends no personal data to outside parties that must not get it', async () => {
    const person = await harness.signUp()
    await harness.buy(person)
    const { email, firstName, lastName, phone, pushToken } = person
    expect(await harness.findCanaries({ email, firstName, lastName, phone, pushToken })).toEqual([])
  })
})
