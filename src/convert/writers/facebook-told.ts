/** Says what no file of Meta's says of a network, for whoever loads one. */
import type { VitHints } from '../../model/dialects/dialect.js'
import { IMAGENET_STATS, type RgbStats, type VitConfig } from '../../model/vit-config.js'
import { textOf } from '../holdings.js'

export function headsNote({ width, heads }: VitConfig): string {
  return `No file of Meta's says how many heads a network has, and this one, of a width of ${width}, has ${heads}: say it where it is loaded, as heads (--heads ${heads}).`
}

/** @param usual are the levels that are assumed of such a file */
export function toldLevels(
  { rgbStats }: VitConfig,
  usual: RgbStats = IMAGENET_STATS,
): Pick<VitHints, 'normalisation'> {
  return textOf(rgbStats) === textOf(usual) ? {} : { normalisation: rgbStats }
}

export function levelsNote({ rgbStats }: VitConfig, usual: RgbStats = IMAGENET_STATS): readonly string[] {
  if (textOf(rgbStats) === textOf(usual)) return []
  const { mean, std } = rgbStats
  return [
    `No file of Meta's says mean and deviation of the levels: say them where this one is loaded, as normalisation (${mean.join(' ')} and ${std.join(' ')}).`,
  ]
}

export function sizeNote({ size }: VitConfig): string {
  return `No file of Meta's says the size that such a network was trained at: say it where this one is loaded, as trainedSize (--trained-size ${size.join('x')}).`
}
