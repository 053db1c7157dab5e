/** Asks the browser for a GPU, and says whether it is worth using. */
import { type Adapter, describeAdapter } from '../../../engine/webgpu/request-device.js'

/** The fastest GPU that the browser gives; null where there is none. */
export async function adapterOrNull(): Promise<Adapter | null> {
  const { gpu } = navigator as { readonly gpu?: { requestAdapter(options: object): Promise<Adapter | null> } }
  return (await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null)) ?? null
}

/**
 * Tells whether there is a GPU worth using: what computes on the processor is slower than WebAssembly. It is false, and nothing is thrown, where
 * there is no GPU.
 */
export async function hasFastGpu(): Promise<boolean> {
  const adapter = await adapterOrNull()
  return adapter !== null && !describeAdapter(adapter).software
}
