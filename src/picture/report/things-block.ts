/** Chooses the block that a report's colours are made of, for a command that loads nothing else of a report before it has photos. */

/**
 * Gives the index of the block whose patches tell things from what is behind them: two thirds of the way up. Later ones of classifiers say of every place what
 * the photo is of.
 */
export function thingsBlock(depth: number): number {
  return Math.min(depth - 1, Math.ceil((depth * 2) / 3))
}
