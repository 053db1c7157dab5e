/** The WebAssembly engine's threads in a browser, and which of the compiled variants they run. */

import { EngineError } from '../../../engine/engine-error.js'
import type { WasmWorkers } from '../../../engine/wasm/channel.js'
import {
  describeVariant,
  kernelsName,
  RELAXED_PROBE,
  type WasmVariant,
} from '../../../engine/wasm/variant.js'
import { newMemory, type ThreadStart } from './thread-start.js'

/** Tells whether this browser has relaxed SIMD. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(RELAXED_PROBE)
}

/** Written out, so that bundlers find the files. */
const VARIANTS = {
  simd: () => new URL('../../../../wasm/build/simd.wasm', import.meta.url),
  'simd-threads': () => new URL('../../../../wasm/build/simd-threads.wasm', import.meta.url),
  relaxed: () => new URL('../../../../wasm/build/relaxed.wasm', import.meta.url),
  'relaxed-threads': () => new URL('../../../../wasm/build/relaxed-threads.wasm', import.meta.url),
}

/** Compiles them also where a server does not know the type of such files. Throws `EngineError` (`unavailable`) where they cannot be had. */
export async function fetchKernels(
  variant: Pick<WasmVariant, 'relaxed' | 'shared'>,
): Promise<WebAssembly.Module> {
  const url = VARIANTS[kernelsName(variant)]()
  try {
    const answer = await fetch(url)
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`)
    return await WebAssembly.compile(await answer.arrayBuffer())
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError(
      'unavailable',
      `The kernels of the WebAssembly engine (${url.pathname}) could not be loaded: ${reason}. Are they served beside the library's modules?`,
      { cause },
    )
  }
}

/** Fetches and compiles the kernels, and starts the threads. Throws `EngineError` (`unavailable`) where they cannot be had. */
export async function startWasmWorkers(variant: WasmVariant): Promise<WasmWorkers> {
  const { threads, shared } = variant
  const module = await fetchKernels(variant)
  const memory = shared ? newMemory(true) : null
  const start = (thread: number) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      type: 'module',
      name: `plumage ${thread}`,
    })
    worker.postMessage({ module, memory, thread, threads } satisfies ThreadStart)
    return worker
  }
  const leader = start(0)
  const workers = [leader, ...Array.from({ length: threads - 1 }, (_, index) => start(index + 1))]
  return {
    threads,
    description: describeVariant(variant),
    post: (request, transfer) => leader.postMessage(request, [...transfer]),
    listen: (onReply, onEnd) => {
      leader.onmessage = ({ data }) => onReply(data)
      for (const worker of workers)
        worker.onerror = ({ message }) =>
          onEnd(
            new Error(
              message ||
                'its file could not be loaded: on an isolated page it needs Cross-Origin-Embedder-Policy as well',
            ),
          )
    },
    keepAlive: () => {},
    // A browser ends a worker when it likes to and does not tell.
    end: async () => {
      for (const worker of workers) worker.terminate()
    },
  }
}
