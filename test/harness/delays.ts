/**
 * `npm test -- --delays`: each attempt of an activity starts, and each webhook arrives at the API, up to 300 ms later
 * than it would. What two programs do at the same time then happens in many orders. The lengths are drawn by the seed;
 * which attempt gets which of them depends on the machine. A stack whose programs are separate processes is not
 * delayed.
 */
import { createHash } from 'node:crypto'
import { Server } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { type ActivityInterceptorsFactory, Worker } from '@temporalio/worker'
import { seed } from './seed.ts'

const longestMs = 300
const webhooks = '/v1/webhooks/'

let drawn = 0

/** Not of the test file's stream: its values would depend on the number of activities that have run. */
function nextDelayMs(): number {
  drawn += 1
  return createHash('sha256').update(`delay ${seed} ${drawn}`).digest().readUInt32BE() % (longestMs + 1)
}

const delayActivities: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      await pause(nextDelayMs())
      return await next(input)
    },
  },
})

const create = Worker.create.bind(Worker)
Worker.create = (options) =>
  create({
    ...options,
    interceptors: { ...options.interceptors, activity: [...(options.interceptors?.activity ?? []), delayActivities] },
  })

const servers: { emit(this: unknown, event: string, ...values: unknown[]): boolean } = Server.prototype
const { emit } = servers
servers.emit = function (event, ...values) {
  if (event !== 'request' || !isWebhook(values[0])) return emit.call(this, event, ...values)
  setTimeout(() => emit.call(this, event, ...values), nextDelayMs())
  return true
}

function isWebhook(request: unknown): boolean {
  return typeof request === 'object' && request !== null && 'url' in request && String(request.url).startsWith(webhooks)
}
