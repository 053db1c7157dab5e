/** Computes products of features by the WebAssembly kernels in the browser, on the thread that asks. */
import type { Kernels } from '../../../engine/wasm/kernels.js'
import { createWasmProductsOn } from '../../../engine/wasm/wasm-products.js'
import { type Products, plainProducts } from '../../../numerics/products.js'
import { newMemory } from './thread-start.js'
import { fetchKernels } from './wasm-workers.js'

/**
 * Makes what computes products of features: by WebAssembly, whose kernels are fetched with the first product; in plain loops where they do not come. The picture
 * functions take it as `products`. All is done on the thread that asks: take a worker for many photos.
 */
export function createProducts(): Products {
  let made: Promise<Products> | null = null
  const products = () => {
    made ??= create()
    return made
  }
  return {
    gram: async (...given) => (await products()).gram(...given),
    mean: async (...given) => (await products()).mean(...given),
    gramTimes: async (...given) => (await products()).gramTimes(...given),
    similarity: async (...given) => (await products()).similarity(...given),
  }
}

async function create(): Promise<Products> {
  try {
    const module = await fetchKernels({ relaxed: false, shared: false })
    const memory = newMemory(false)
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
    return createWasmProductsOn(exports as unknown as Kernels, memory)
  } catch {
    // An engine that needs the kernels says what is wrong with them; this only takes longer without.
    return plainProducts
  }
}
