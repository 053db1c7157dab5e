/** Gives a layout as its library has it where keys have no bias. */
import type { Layout } from '../../model/dialects/layout.js'

/** @param modules are those of q, k and v in a block */
export function withoutKeyBias(
  layout: Layout,
  modules: readonly [query: string, key: string, value: string],
): Layout {
  const [query, , value] = modules
  const weight = modules.map((module) => `${module}.weight`)
  const bias = [`${query}.bias`, null, `${value}.bias`]
  return { ...layout, parts: { ...layout.parts, 'attn.qkv': { weight, bias } } }
}
