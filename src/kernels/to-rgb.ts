/** From what decoders give to 8-bit RGB, as Pillow's `convert('RGB')` does: alpha dropped and not blended, no colour profile. */
import type { Colour } from './transparent-colour.js'

/** 8 bits, [pixels, channels]: grey, grey with alpha, RGB or RGBA. */
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
 * 16 bits. Pillow keeps the upper byte, but for grey without alpha, which it clips at 255.
 *
 * @param values [pixels, channels]: grey, grey with alpha, RGB or RGBA
 */
export function rgbFrom16Bits(values: Uint16Array, channels: number, clipped: boolean): Uint8Array {
  const bytes = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i++) bytes[i] = clipped ? Math.min(values[i], 255) : values[i] >> 8
  return rgbFrom8Bits(bytes, channels)
}

/** (255 - ink) * (255 - black) / 255, divided with rounding in integers. [pixels, channels], four of which count. */
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

/** RGBA whose wholly transparent pixels have lost their colour. */
export function rgbOnColour(data: Uint8Array, [red, green, blue]: Colour): Uint8Array {
  const out = rgbFrom8Bits(data, 4)
  for (let alpha = 3, to = 0; alpha < data.length; alpha += 4, to += 3) {
    if (data[alpha] !== 0) continue
    out[to] = red
    out[to + 1] = green
    out[to + 2] = blue
  }
  return out
}
