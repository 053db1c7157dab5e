/** Digests weights by the WebAssembly kernels in the worker that loads models. */
import type { Kernels } from '../../../engine/wasm/kernels.js'
import { createWasmDigestOn, DIGEST_PAGES } from '../../../engine/wasm/wasm-digest.js'
import { type DigestWords, digestWords } from '../../../kernels/digest-words.js'
import { newMemory } from './thread-start.js'
import { fetchKernels } from './wasm-workers.js'

/** Fetches the kernels when they are first needed, which is never where all digests are noted. */
export function lazyWasmDigest(): DigestWords {
  let made: Promise<DigestWords> | null = null
  return async (values) => {
    made ??= create()
    return await (await made)(values)
  }
}

async function create(): Promise<DigestWords> {
  try {
    const module = await fetchKernels({ relaxed: false, shared: false })
    const memory = newMemory(false)
    memory.grow(DIGEST_PAGES)
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
    return createWasmDigestOn(exports as unknown as Kernels, memory.buffer)
  } catch {
    // An engine that needs the kernels says what is wrong with them; this only takes longer without.
    return async (values) => digestWords(values)
  }
}
