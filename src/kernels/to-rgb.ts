/**
 * Turns what decoders give into 8-bit RGB as Pillow's `convert('RGB')` does: alpha is dropped and not blended, and no colour profile is applied.
 * What a library lays on white is laid on it afterwards.
 */

/** @param data uint8 [pixels, channels], which are grey, grey with alpha, RGB or RGBA */
export function rgbFrom8Bits(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2]
  const out = new Uint8Array((data.length / channels) * 3)
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    out[to] = data[from]
    out[to + 1] = data[from + green]
    out[to + 2] = data[from + blue]
  }
  return out
}

/**
 * Pillow keeps the upper byte of 16 bits, but for grey without alpha, which it clips at 255.
 *
 * @param values uint16 [pixels, channels], which are grey, grey with alpha, RGB or RGBA
 */
export function rgbFrom16Bits(values: Uint16Array, channels: number, clipped: boolean): Uint8Array {
  return rgbFrom8Bits(bytesFrom16Bits(values, clipped), channels)
}

export function bytesFrom16Bits(values: Uint16Array, clipped: boolean): Uint8Array {
  const bytes = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i++) bytes[i] = clipped ? Math.min(values[i], 255) : values[i] >> 8
  return bytes
}

/**
 * Each colour becomes (255 - ink) * (255 - black) / 255, which Pillow divides with rounding in integers.
 *
 * @param data uint8 [pixels, channels], of which the first four count
 */
export function rgbFromCmyk(data: Uint8Array, channels: number): Uint8Array {
  const out = new Uint8Array((data.length / channels) * 3)
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    const white = 255 - data[from + 3]
    for (let c = 0; c < 3; c++) {
      const product = (255 - data[from + c]) * white + 128
      out[to + c] = ((product >> 8) + product) >> 8
    }
  }
  return out
}

/** Gives a colour to the wholly transparent pixels of RGBA, which a decoder has taken theirs from. */
export function rgbOnColour(
  data: Uint8Array,
  [red, green, blue]: readonly [red: number, green: number, blue: number],
): Uint8Array {
  const out = rgbFrom8Bits(data, 4)
  for (let alpha = 3, to = 0; alpha < data.length; alpha += 4, to += 3) {
    if (data[alpha] !== 0) continue
    out[to] = red
    out[to + 1] = green
    out[to + 2] = blue
  }
  return out
}

/**
 * Lays colours on white by their alpha, to the bit as Pillow's `alpha_composite` does.
 *
 * @param rgb uint8 [pixels, 3]
 * @param data uint8 [pixels, channels], of which one holds alpha
 */
export function rgbOnWhite(rgb: Uint8Array, data: Uint8Array, channels: number, alphaAt: number): Uint8Array {
  const out = new Uint8Array(rgb.length)
  for (let from = alphaAt, to = 0; to < rgb.length; from += channels, to += 3) {
    const alpha = data[from]
    const white = 255 * (255 - alpha) + 128
    for (let c = to; c < to + 3; c++) {
      const sum = rgb[c] * alpha + white
      out[c] = ((sum >> 8) + sum) >> 8
    }
  }
  return out
}

/** Paints every pixel of one colour white, which is how Pillow lays on white what has a transparent colour and no alpha. */
export function rgbWithWhiteFor(
  rgb: Uint8Array,
  [red, green, blue]: readonly [red: number, green: number, blue: number],
): Uint8Array {
  const out = new Uint8Array(rgb)
  for (let i = 0; i < out.length; i += 3) {
    if (out[i] === red && out[i + 1] === green && out[i + 2] === blue) out.fill(255, i, i + 3)
  }
  return out
}

/**
 * Divides colours by the alpha that they were multiplied by, rounding down, as Pillow does when it reads them; what is wholly transparent is black.
 *
 * @param data uint8 [pixels, channels], of which the fourth is alpha
 */
export function rgbFromPremultiplied(data: Uint8Array, channels: number): Uint8Array {
  const out = rgbFrom8Bits(data, channels)
  for (let at = 3, to = 0; at < data.length; at += channels, to += 3) {
    const alpha = data[at]
    if (alpha === 255) continue
    for (let c = to; c < to + 3; c++)
      out[c] = alpha === 0 ? 0 : Math.min(Math.trunc((out[c] * 255) / alpha), 255)
  }
  return out
}

/** Gives the colour of each index. The palette is uint8 [entries, 3]; an index outside of it is black. */
export function rgbFromPalette(data: Uint8Array, channels: number, palette: Uint8Array): Uint8Array {
  const out = new Uint8Array((data.length / channels) * 3)
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    const entry = 3 * data[from]
    if (entry >= palette.length) continue
    out[to] = palette[entry]
    out[to + 1] = palette[entry + 1]
    out[to + 2] = palette[entry + 2]
  }
  return out
}

/** Pillow's tables of JFIF's factors have 6 bits behind the point (ConvertYCbCr.c). */
const chromaTable = (factor: number): Int32Array =>
  Int32Array.from({ length: 256 }, (_, level) => Math.trunc(factor * (level - 128) * 64 + 0.5))

const RED_OF_CR = chromaTable(1.402)
const GREEN_OF_CB = chromaTable(-0.34414)
const GREEN_OF_CR = chromaTable(-0.71414)
const BLUE_OF_CB = chromaTable(1.772)

/** @param data uint8 [pixels, channels], of which the first three are Y, Cb and Cr */
export function rgbFromYcbcr(data: Uint8Array, channels: number): Uint8Array {
  const out = new Uint8ClampedArray((data.length / channels) * 3)
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    const y = data[from]
    const cb = data[from + 1]
    const cr = data[from + 2]
    out[to] = y + (RED_OF_CR[cr] >> 6)
    out[to + 1] = y + ((GREEN_OF_CB[cb] + GREEN_OF_CR[cr]) >> 6)
    out[to + 2] = y + (BLUE_OF_CB[cb] >> 6)
  }
  return new Uint8Array(out.buffer)
}
