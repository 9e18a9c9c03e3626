/** A server that is to listen says on which port it does, or why it cannot. */
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { listenOn, portOf } from '../../shared/process/listen.ts'

test('a server listens on a free port where none is named, and a second one is refused the same port', async () => {
  const [first, second] = [createServer(), createServer()]
  onTestFinished(() => void first.close())
  const port = await listenOn(first, 0, '127.0.0.1')
  expect(port).toBeGreaterThan(0)
  expect(portOf(first)).toBe(port)
  await expect(listenOn(second, port, '127.0.0.1')).rejects.toThrow('EADDRINUSE')
  expect(() => portOf(second)).toThrow('listens on no port')
})
