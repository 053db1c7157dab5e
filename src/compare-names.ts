/**
 * Puts file names in the one order that is used here: that of their UTF-8 bytes, as `sort` with LC_ALL=C, Python and polars have it.
 * JavaScript's own order compares UTF-16 units and so puts emoji before some ideographs.
 */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return bytesRank(left) - bytesRank(right)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above U+FFFF: they rank after all other units. */
function bytesRank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000
}
