/** Connects to Redis for queues. */
import { QueueError } from '../../../jobs/queue-error.js'
import { type AskOptions, askAgain } from './ask-again.js'
import { loadBullmq, loadIoredis } from './load-queue-packages.js'
import { ANSWER_MS, type QueueServer } from './queue-server.js'

/** Throws `QueueError`, `unfit` where the server may drop what it was given. */
export async function connectRedis(address: string, options: AskOptions): Promise<QueueServer> {
  const { createRedisBackend } = loadBullmq()
  const { Redis } = loadIoredis()
  const client = new Redis(address, {
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    socketTimeout: ANSWER_MS,
    // What was asked while the connection was lost is asked again by us alone: it would else be done later, when nobody waits for it any more.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  })
  let problem: Error | undefined
  client.on('error', (error) => {
    problem = error
  })
  client.on('ready', () => {
    problem = undefined
  })
  // Before there is a connection, a command only tells that there is none; what happened while it was made says why.
  const info = () =>
    client.info('memory').catch((error) => {
      throw problem ?? error
    })
  let aheadMs = 0
  const compareClocks = async () => {
    const before = Date.now()
    const [seconds, micros] = await client.time()
    const after = Date.now()
    // The server looked at its clock at some moment between the two, and where that was long nothing is known.
    if (after - before > MOST_ASKING_MS) return
    aheadMs = (before + after) / 2 - (Number(seconds) * 1000 + Number(micros) / 1000)
  }
  try {
    await askAgain(async () => assertFit(await info(), options.label), options)
    await askAgain(compareClocks, options)
  } catch (error) {
    client.disconnect()
    throw error
  }
  return {
    // Workers of BullMQ open a second connection to wait on, which is not needed where one looks again.
    backend: (name, opts) => createRedisBackend(name, opts),
    connection: client,
    checkClock: compareClocks,
    aheadMs: () => aheadMs,
    dueParts: (key, nowMs) => client.zrangebyscore(key, 0, nowMs * SCORES_A_MS, 'LIMIT', 0, MOST_DUE),
    end: () => client.disconnect(),
  }
}

/** Another policy drops parts, and locks too, whenever memory is short. */
function assertFit(info: string, label: string): void {
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1]
  if (policy === undefined || policy === 'noeviction') return
  throw new QueueError(
    'unfit',
    `The queue ${label} drops what it holds when its memory is full: its maxmemory-policy is ${policy}, where noeviction is needed. Set it: redis-cli -u ${label} CONFIG SET maxmemory-policy noeviction`,
  )
}

/** BullMQ orders what is kept back by its time and, within a millisecond, by a count. */
const SCORES_A_MS = 0x1000
const MOST_DUE = 16
const MOST_ASKING_MS = 1000
