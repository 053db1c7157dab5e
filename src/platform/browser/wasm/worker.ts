/** A thread of the WebAssembly engine in a browser: the first leads, the others follow it. */
import type { Kernels } from '../../../engine/wasm/kernels.js'
import { Leader } from '../../../engine/wasm/leader.js'
import type { Request } from '../../../engine/wasm/protocol.js'
import { newMemory, type ThreadStart } from './thread-start.js'

const scope = self as unknown as DedicatedWorkerGlobalScope
let leader: Leader | null = null

scope.onmessage = ({ data }: MessageEvent<ThreadStart | Request>) => {
  if ('module' in data) leader = start(data)
  else leader?.receive(data)
}

function start({ module, memory: shared, thread, threads }: ThreadStart): Leader {
  const memory = shared ?? newMemory(false)
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const kernels = exports as unknown as Kernels
  if (thread > 0) kernels.follow(thread)
  const { port1, port2 } = new MessageChannel()
  return new Leader({
    kernels,
    memory,
    threads,
    send: (reply, transfer) => scope.postMessage(reply, [...transfer]),
    // A timer would wait four milliseconds after a while; a message does not.
    pause: () =>
      new Promise((resolve) => {
        port1.onmessage = () => resolve()
        port2.postMessage(null)
      }),
  })
}
