/** Chooses who computes products of features: the native kernels where they are, else those of WebAssembly, else plain loops. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { createNativeProductsOn, type NativeProductsOptions } from '../../engine/native/native-products.js'
import type { RowScorer } from '../../numerics/nearest-rows.js'
import { type Products, plainProducts } from '../../numerics/products.js'
import { scorerOn } from '../../numerics/row-scorer.js'
import { addonOrReason } from './native/load-addon.js'
import { createWasmProducts } from './wasm/wasm-products.js'

const OPTIONS = { instructionSet: true, threads: true } satisfies OptionNames<NativeProductsOptions>

/** Computes products of features, and finds nearest rows. Dispose of it: native ones have threads. */
export interface FeatureProducts extends Products, RowScorer, AsyncDisposable {}

/**
 * Makes what computes products of features: in C++ on threads of its own, which start with the first product; where there is no native engine, by WebAssembly
 * on the calling thread. The picture functions take it as `products`. Throws `EngineError` `unavailable` for an instruction set that cannot run, and
 * `unsupported` for a number of threads that makes no sense.
 */
export function createProducts(options: NativeProductsOptions = {}): FeatureProducts {
  checkOptionNames(options, OPTIONS)
  const addon = addonOrReason()
  if (typeof addon !== 'string') return createNativeProductsOn(addon, options)
  const portable = portableProducts()
  return { ...portable, ...scorerOn(portable), [Symbol.asyncDispose]: async () => {} }
}

function portableProducts(): Products {
  try {
    return createWasmProducts()
  } catch {
    // An engine that needs the kernels says what is wrong with them; this only takes longer without.
    return plainProducts
  }
}
