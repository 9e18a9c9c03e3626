/** A browser in which an operator of a role has signed in. */
import { randomUUID } from 'node:crypto'
import { saveOperator } from '../../db/operator/operators.ts'
import { openSession } from '../../db/web-sessions.ts'
import type { OperatorRole } from '../../policy/operators/operator-roles.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import type { Product } from '../harness/product.ts'

export async function surferOf(
  { context, stack }: Pick<Product, 'context' | 'stack'>,
  role: OperatorRole,
): Promise<{ surfer: Surfer; actor: string }> {
  const at = new Date()
  const email = `${randomUUID()}@ama-esim.example`
  const { id } = await saveOperator(context, { name: `The ${role}`, email, role, at })
  const session = { owner: { operatorId: id }, replaces: undefined, at, expiresAt: new Date(at.getTime() + 600_000) }
  const surfer = createSurfer(stack.urls.api)
  surfer.cookies.set('ama-console', await openSession(context.sql, session))
  return { surfer, actor: `operator:${id}` }
}
