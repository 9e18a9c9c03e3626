/** The API and the stack for the chapters of the demo. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Stack } from '../../dev/stack.ts'
import type { Narrator } from './narrator.ts'

export type DemoClient = ReturnType<typeof createDemoClient>

// biome-ignore lint/suspicious/noExplicitAny: the demo only shows answers
export type Answer = any

export function createDemoClient(stack: Stack, narrator: Narrator) {
  const call =
    (token: string) =>
    async (method: string, path: string, body?: unknown): Promise<Answer> => {
      const response = await fetch(stack.urls.api + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
      return text && JSON.parse(text)
    }

  return {
    stack,
    narrator,
    /** calls the API as the app's backend */
    app: call(stack.keys.service),
    operator: call(stack.keys.operator),

    /** Reads until a value passes the check. @returns the last value, also after the time limit: then the step fails */
    async until<Value>(
      read: () => Promise<Value>,
      holds: (value: Value) => boolean,
      timeoutMs = 20_000,
    ): Promise<Value> {
      const deadline = Date.now() + timeoutMs
      for (;;) {
        const value = await read()
        if (holds(value) || Date.now() > deadline) return value
        await pause(50)
      }
    },

    /** The mail to an address whose subject matches, once it has arrived. */
    async mailTo(address: string, subject: RegExp): Promise<Answer> {
      const find = async (): Promise<Answer> => {
        const mails = await stack.sims.mailbox.do('find', { to: address })
        return mails.find((mail) => subject.test(mail.subject))
      }
      return this.until(find, (mail) => mail !== undefined)
    },

    runLink(workflowId: string): string | undefined {
      const { ui } = stack.urls
      return ui && `${ui}/namespaces/${stack.temporal.options.namespace}/workflows/${workflowId}`
    },
  }
}
