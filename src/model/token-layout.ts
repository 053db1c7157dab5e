/** Tokens in the layouts that libraries hand out, made from the canonical one: class token, registers, patches. */

/** [B, T, width] in Birder's order: registers, class token, patches. `width` is that of these tokens: a hidden layer may be wider. A copy. */
export function birderOrder(
  tokens: Float32Array,
  batch: number,
  {
    width,
    registers,
    classToken,
  }: { readonly width: number; readonly registers: number; readonly classToken: boolean },
): Float32Array {
  const out = tokens.slice()
  if (!classToken) return out
  const perImage = tokens.length / batch
  for (let at = 0; at < tokens.length; at += perImage) {
    out.set(tokens.subarray(at + width, at + (1 + registers) * width), at)
    out.set(tokens.subarray(at, at + width), at + registers * width)
  }
  return out
}

/** [B, S + G, D] without each image's first S rows, as maps with channels first: [B, D, G]. */
export function patchMaps(
  tokens: Float32Array,
  batch: number,
  width: number,
  specialTokens: number,
): Float32Array {
  const rows = tokens.length / (batch * width)
  const cells = rows - specialTokens
  const out = new Float32Array(batch * width * cells)
  for (let b = 0; b < batch; b++) {
    for (let cell = 0; cell < cells; cell++) {
      const from = (b * rows + specialTokens + cell) * width
      for (let c = 0; c < width; c++) out[(b * width + c) * cells + cell] = tokens[from + c]
    }
  }
  return out
}
