/** Digests weights by the WebAssembly kernels in Node. */
import type { Kernels } from '../../../engine/wasm/kernels.js'
import { createWasmDigestOn, DIGEST_PAGES } from '../../../engine/wasm/wasm-digest.js'
import type { DigestWords } from '../../../kernels/digest-words.js'
import { compileKernels } from './compile-kernels.js'
import { newMemory } from './thread-start.js'

/** Throws what reading and compiling the kernels throw. */
export function createWasmDigest(): DigestWords {
  const module = compileKernels({ relaxed: false, shared: false })
  const memory = newMemory(false)
  memory.grow(DIGEST_PAGES)
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  return createWasmDigestOn(exports as unknown as Kernels, memory.buffer)
}
