import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js'
import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ConfigurationError } from '../config.ts'
import { throwawayFolder } from '../dev/throwaway-folder.ts'
import { portOf } from '../shared/process/listen.ts'
import { connectTemporal, temporalSettings } from '../temporal/client.ts'
import { sendUpdate, updateWithStart } from '../temporal/runs.ts'
import { cancel, orderWorkflowId } from '../workflows/order/order.contract.ts'

/** No file of this machine is read. */
const noSettings = { TEMPORAL_ADDRESS: '127.0.0.1:9', TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' }

/** The address of a server that takes connections and answers nothing. */
async function silentServer(): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${portOf(server)}`
}

test('what cannot be read of the settings of Temporal is one fault, without the lines of a file that has keys', async () => {
  const folder = await throwawayFolder('ama-esim-temporal-settings-')
  const [broken, noKey] = [join(folder, 'temporal.toml'), join(folder, 'key.pem')]
  await writeFile(broken, '[profile.default]\napi_key = "a-secret\n')
  await writeFile(noKey, 'no key')
  const faultOf = (settings: Record<string, string>): string => {
    for (const [name, value] of Object.entries({ ...noSettings, ...settings })) vi.stubEnv(name, value)
    try {
      temporalSettings({ NODE_ENV: 'test', PAYLOAD_KEYS: undefined })
      return connectTemporal({ NODE_ENV: 'test', PAYLOAD_KEYS: undefined }).options.namespace
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      return error.lines.join()
    } finally {
      vi.unstubAllEnvs()
    }
  }
  const certificate = (file: string) => ({ TEMPORAL_TLS_CLIENT_CERT_PATH: file, TEMPORAL_TLS_CLIENT_KEY_PATH: file })
  for (const [settings, fault] of [
    [{ TEMPORAL_CONFIG_FILE: broken }, /^TEMPORAL_\*: Invalid TOML/],
    [{ TEMPORAL_CONFIG_FILE: folder }, /^TEMPORAL_\*: EISDIR/],
    [{ TEMPORAL_PROFILE: 'nobody' }, /^TEMPORAL_\*: Profile 'nobody' not found/],
    [certificate(join(folder, 'none.pem')), /^TEMPORAL_\*: ENOENT/],
    [certificate(noKey), /^TEMPORAL_\*: .*PEM/],
    [{ TEMPORAL_TLS: 'True' }, /^TEMPORAL_TLS: must be true or false$/],
    // .env.example is copied with what is empty; a secret in a file ends with a line break.
    [{ TEMPORAL_NAMESPACE: '', TEMPORAL_API_KEY: '' }, /^default$/],
    [{ TEMPORAL_NAMESPACE: 'ours\n' }, /^ours$/],
  ] as const) {
    const said = faultOf(settings)
    expect([settings, said]).toEqual([settings, expect.stringMatching(fault)])
    expect(said).not.toContain('a-secret')
  }
  const { connection } = temporalSettings({ NODE_ENV: 'test', PAYLOAD_KEYS: undefined }, { TEMPORAL_API_KEY: '' })
  expect(connection.tls).toBeUndefined()
})

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

test('an update, also one that starts its run, ends with its deadline while Temporal is silent', async () => {
  const temporal = connectTemporal(
    { NODE_ENV: 'test', PAYLOAD_KEYS: undefined },
    { TEMPORAL_ADDRESS: await silentServer() },
  )
  onTestFinished(() => temporal.connection.close())
  const workflowId = orderWorkflowId('silent')
  const start = { type: 'order', workflowId, taskQueue: 'none', workflowIdConflictPolicy: 'USE_EXISTING' } as const
  const limits = { deadline: Date.now() }
  const error = await sendUpdate(temporal, workflowId, cancel, [], limits).catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(WorkflowUpdateRPCTimeoutOrCancelledError)
  const ofStart = await updateWithStart(temporal, start, cancel, [], limits).catch((cause: unknown) => cause)
  expect(ofStart).toBeInstanceOf(WorkflowUpdateRPCTimeoutOrCancelledError)
})

/** A server that refuses the first lists with a status. @returns its address, and how often it was asked for a list */
async function refusingServer(refusals: number, code: status) {
  const server = new Server()
  let asked = 0
  const unary = (method: string) => ({
    path: `/temporal.api.workflowservice.v1.WorkflowService/${method}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  })
  type Answer = (error: Partial<ServiceError> | null, bytes?: Buffer) => void
  server.addService(
    { system: unary('GetSystemInfo'), list: unary('ListWorkflowExecutions') },
    {
      system: (_call: unknown, answer: Answer) => answer(null, Buffer.alloc(0)),
      list(_call: unknown, answer: Answer) {
        asked += 1
        if (asked > refusals) answer(null, Buffer.alloc(0))
        else answer({ code, details: 'System Persistence Max QPS Reached.' })
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  onTestFinished(() => server.forceShutdown())
  return { address: `127.0.0.1:${port}`, asked: () => asked }
}

test.each([
  ['limits its requests', status.RESOURCE_EXHAUSTED],
  ['is down for a moment', status.UNAVAILABLE],
])('a client with long retries reads the list of a server that %s', async (_how, code) => {
  const server = await refusingServer(20, code)
  const settings = { NODE_ENV: 'test', PAYLOAD_KEYS: undefined } as const
  const temporal = connectTemporal(settings, { TEMPORAL_ADDRESS: server.address }, { firstPauseMs: 0 })
  onTestFinished(() => temporal.connection.close())
  // gRPC keeps what it knows of an address: the port may be that of an earlier server, which it does not ask at once.
  await temporal.connection.ensureConnected()
  await temporal.connection.workflowService.getSystemInfo({})
  const runs: string[] = []
  for await (const { workflowId } of temporal.workflow.list({ query: 'true' })) runs.push(workflowId)
  expect([runs, server.asked()]).toEqual([[], 21])
})
