/** Digests weights by the WebAssembly kernels in Node. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Kernels } from '../../../engine/wasm/kernels.js'
import { kernelsName } from '../../../engine/wasm/variant.js'
import { createWasmDigestOn, DIGEST_PAGES } from '../../../engine/wasm/wasm-digest.js'
import type { DigestWords } from '../../../kernels/digest-words.js'
import { packageRoot } from '../package-root.js'
import { newMemory } from './thread-start.js'

/** Throws what reading and compiling the kernels throw. */
export function createWasmDigest(): DigestWords {
  const name = `${kernelsName({ relaxed: false, shared: false })}.wasm`
  const module = new WebAssembly.Module(readFileSync(join(packageRoot, 'wasm/build', name)))
  const memory = newMemory(false)
  memory.grow(DIGEST_PAGES)
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  return createWasmDigestOn(exports as unknown as Kernels, memory.buffer)
}
