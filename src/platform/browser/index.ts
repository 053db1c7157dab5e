/** `plumage/browser` is the universal library with what reaches a browser's world. */

export type { DownloadProgress } from '../../hub/download-progress.js'
export * from '../../index.js'
export { type DecodeOptions, decodeImage } from './decode-image.js'
export type { ImageSource } from './image-source.js'
export { loadEncoder, type ModelSource } from './load-encoder.js'
export { listStoredModels, removeStoredModels, type StoredModel } from './storage/stored-models.js'
export {
  createWasmEngine,
  hasRelaxedSimd,
  type WasmEngine,
  type WasmOptions,
  type WasmPrecision,
} from './wasm/index.js'
export { createProducts } from './wasm/wasm-products.js'
export { hasFastGpu } from './webgpu/gpu-adapter.js'
export {
  createWebgpuEngine,
  type WebgpuEngine,
  type WebgpuOptions,
  type WebgpuPrecision,
} from './webgpu/index.js'
