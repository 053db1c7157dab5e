/** Starts the WebAssembly engine's threads in Node, and chooses which of the compiled variants they run. */
import { Worker } from 'node:worker_threads'
import type { WasmWorkers } from '../../../engine/wasm/channel.js'
import { describeVariant, RELAXED_PROBE, type WasmVariant } from '../../../engine/wasm/variant.js'
import { compileKernels, engineFile } from './compile-kernels.js'
import { newMemory, STARTED, type ThreadStart } from './thread-start.js'

/** Tells whether this runtime has relaxed SIMD. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(RELAXED_PROBE)
}

/** Starts the threads; they end with the process, and keep it alive only while an answer is awaited. Throws `EngineError` `unavailable` where a file is missing. */
export function startWasmWorkers(variant: WasmVariant): WasmWorkers {
  const { threads, shared } = variant
  const module = compileKernels(variant)
  const file = engineFile('dist/bundle/node/wasm-worker.js')
  const memory = shared ? newMemory(true) : null
  const start = (thread: number) => {
    const workerData: ThreadStart = { module, memory, thread, threads }
    const worker = new Worker(file, { workerData, name: `plumage ${thread}` })
    worker.unref()
    return { worker, started: startOf(worker) }
  }
  const first = start(0)
  const leader = first.worker
  const all = [first, ...Array.from({ length: threads - 1 }, (_, index) => start(index + 1))]
  return {
    threads,
    description: describeVariant(variant),
    post: (request, transfer) => leader.postMessage(request, [...transfer]),
    listen: (onReply, onEnd) => {
      leader.on('message', (reply) => {
        if (reply !== STARTED) onReply(reply)
      })
      for (const { worker } of all) {
        worker.on('error', onEnd)
        worker.on('exit', (code) => onEnd(new Error(`a thread ended with code ${code}`)))
      }
    },
    end: async () => {
      await Promise.all(all.map(endOf))
    },
    keepAlive: (wanted) => {
      if (wanted) leader.ref()
      else leader.unref()
    },
  }
}

interface StartedWorker {
  readonly worker: Worker
  /** Resolves when its modules are loaded, or it has ended before. */
  readonly started: Promise<void>
}

function startOf(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['message', 'exit'] as const) worker.once(event, () => resolve())
  })
}

/** Node leaves the files open that a worker is loading its modules from when it is terminated: one that has only just begun is waited for. */
async function endOf({ worker, started }: StartedWorker): Promise<void> {
  worker.ref()
  await started
  await worker.terminate()
}
