/** Runs in a thread of the WebAssembly engine in Node: the first leads, the others follow it. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Kernels } from '../../../engine/wasm/kernels.js'
import { Leader } from '../../../engine/wasm/leader.js'
import type { Request } from '../../../engine/wasm/protocol.js'
import { newMemory, STARTED, type ThreadStart } from './thread-start.js'

const { module, thread, threads, ...start } = workerData as ThreadStart
const memory = start.memory ?? newMemory(false)
const instance = new WebAssembly.Instance(module, { env: { memory } })
const kernels = instance.exports as unknown as Kernels

if (parentPort === null) throw new Error('this file is a worker of the WebAssembly engine')
const port = parentPort
port.postMessage(STARTED)
if (thread > 0) kernels.follow(thread)
const leader = new Leader({
  kernels,
  memory,
  threads,
  send: (reply, transfer) => port.postMessage(reply, [...transfer]),
  pause: () => new Promise((resolve) => setImmediate(resolve)),
})
port.on('message', (request: Request) => leader.receive(request))
