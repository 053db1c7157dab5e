/** Computes products of features by the WebAssembly kernels in Node. */
import type { Kernels } from '../../../engine/wasm/kernels.js'
import { createWasmProductsOn } from '../../../engine/wasm/wasm-products.js'
import type { Products } from '../../../numerics/products.js'
import { compileKernels } from './compile-kernels.js'
import { newMemory } from './thread-start.js'

/** Throws what reading and compiling the kernels throw. */
export function createWasmProducts(): Products {
  const module = compileKernels({ relaxed: false, shared: false })
  const memory = newMemory(false)
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  return createWasmProductsOn(exports as unknown as Kernels, memory)
}
