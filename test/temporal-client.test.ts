import { once } from 'node:events'
import { createServer } from 'node:net'
import { status } from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { portOf } from '../dev/port.ts'
import { connectTemporal } from '../temporal/client.ts'

test('a retried call to Temporal ends when the connection is closed, without an unhandled error', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { connection } = connectTemporal(
    { NODE_ENV: 'test', PAYLOAD_KEYS: undefined },
    { TEMPORAL_ADDRESS: `127.0.0.1:${portOf(server)}` },
  )
  const call = connection.workflowService.getSystemInfo({}).catch((error: unknown) => error)
  await once(server, 'connection')
  await connection.close()
  expect(await call).toMatchObject({ code: status.CANCELLED, details: 'Channel has been shut down' })
})
