/** The WebAssembly engine's threads in Node, and which of the compiled variants they run. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { WasmWorkers } from '../../../engine/wasm/wasm-engine.js'
import { packageRoot } from '../package-root.js'

/** What a thread is started with. */
export interface ThreadStart {
  readonly module: WebAssembly.Module
  /** Null where the one thread makes its own. */
  readonly memory: WebAssembly.Memory | null
  readonly thread: number
  readonly threads: number
}

const PAGES_OF_4_GIB = 65536

/** An empty memory that may grow to all that 32 bits can address. */
export function newMemory(shared: boolean): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: PAGES_OF_4_GIB, shared })
}

/** A function of one fused multiply-add, the smallest module that only relaxed SIMD makes valid. */
const RELAXED_PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 5, 1, 0x60, 0, 1, 0x7b],
  ...[3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 0x41, 1, 0xfd, 0x0f, 0x41, 2, 0xfd, 0x0f, 0xfd, 0x80, 0x02, 0x0b],
)

/** Whether this runtime has relaxed SIMD. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(RELAXED_PROBE)
}

export interface WasmThreads {
  readonly threads: number
  /** Of relaxed SIMD, where this runtime has it. */
  readonly relaxed: boolean
  /** Memory that all threads see; without it there is one thread. */
  readonly shared: boolean
}

/** Starts the threads; they end with the process, and keep it alive only while an answer is awaited. */
export function startWasmWorkers({ threads, relaxed, shared }: WasmThreads): WasmWorkers {
  const name = `${relaxed ? 'relaxed' : 'simd'}${shared ? '-threads' : ''}.wasm`
  const module = new WebAssembly.Module(readFileSync(join(packageRoot, 'wasm/build', name)))
  const memory = shared ? newMemory(true) : null
  const start = (thread: number) => {
    const workerData: ThreadStart = { module, memory, thread, threads }
    // By its place in the package: a thread's file must be compiled also where this one runs from its source.
    const file = join(packageRoot, 'dist/platform/node/wasm/worker.js')
    const worker = new Worker(file, { workerData, name: `plumage ${thread}` })
    worker.unref()
    return worker
  }
  const workers = Array.from({ length: threads }, (_, thread) => start(thread))
  const [leader] = workers
  return {
    threads,
    description: `${relaxed ? 'relaxed SIMD' : 'SIMD'}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    post: (request, transfer) => leader.postMessage(request, [...transfer]),
    listen: (onReply, onEnd) => {
      leader.on('message', onReply)
      for (const worker of workers) {
        worker.on('error', onEnd)
        worker.on('exit', (code) => onEnd(new Error(`a thread ended with code ${code}`)))
      }
    },
    end: () => {
      for (const worker of workers) void worker.terminate()
    },
    keepAlive: (wanted) => {
      if (wanted) leader.ref()
      else leader.unref()
    },
  }
}
