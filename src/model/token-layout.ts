/** Turns tokens from the canonical order (class token, registers, patches) into the layouts that libraries hand out. */

/** Copies tokens [B, T, width] into Birder's order: registers, class token, patches. `width` is that of these tokens, since a hidden layer may be wider. */
export function birderOrder(
  tokens: Float32Array,
  batch: number,
  {
    width,
    registers,
    classToken,
    classFirst = false,
  }: {
    readonly width: number
    readonly registers: number
    readonly classToken: boolean
    readonly classFirst?: boolean
  },
): Float32Array {
  const out = tokens.slice()
  if (!classToken || classFirst) return out
  const perImage = tokens.length / batch
  for (let at = 0; at < tokens.length; at += perImage) {
    out.set(tokens.subarray(at + width, at + (1 + registers) * width), at)
    out.set(tokens.subarray(at, at + width), at + registers * width)
  }
  return out
}

/** Leaves out each image's first S rows of [B, S + G, D] and gives the rest as maps with channels first, [B, D, G]. */
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
      tokens.subarray(from, from + width).forEach((value, c) => {
        out[(b * width + c) * cells + cell] = value
      })
    }
  }
  return out
}
