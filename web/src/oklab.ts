/** Makes colours whose distances look like those of the numbers they are made from, in OKLab (Ottosson 2020, "A perceptual color space for image processing"). */

/** Two of the axes go so far from grey, and lightness so far from its middle. */
const CHROMA = 0.17
const LIGHTNESS = { middle: 0.72, reach: 0.1 }

/**
 * Makes red, green and blue, 0 to 255, of three levels from 0 to 255: the first runs from green to red, the second from blue to yellow, the third from
 * dark to light.
 */
export function colorOf(first: number, second: number, third: number): readonly [number, number, number] {
  const centred = (level: number) => level / 127.5 - 1
  const a = CHROMA * centred(first)
  const b = CHROMA * centred(second)
  const lightness = LIGHTNESS.middle + LIGHTNESS.reach * centred(third)
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encoded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ]
}

/** Applies sRGB's curve to a linear channel. */
function encoded(linear: number): number {
  const value = Math.min(1, Math.max(0, linear))
  const curved = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055
  return Math.round(255 * curved)
}
