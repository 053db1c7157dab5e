/** Runs a network on the input of a golden, and gives what an encoder would of what is asked for within it. */
import { insideFor, planChoiceFor, seenOf, slotsFor } from '../encoder/features.js'
import type { Network } from '../encoder/network.js'
import type { StoppedChoice, StoppedFeatures } from '../encoder/types.js'
import type { PositionRule } from '../model/positions.js'
import type { CaseContext } from './case.js'

/**
 * @param pixels float32 [1, C, height, width], normalised
 * @param positions undefined for an encoder's way
 */
export async function lookWithin(
  network: Network,
  pixels: Float32Array,
  wanted: StoppedChoice,
  size: readonly [height: number, width: number],
  positions: PositionRule | undefined,
  { signal }: CaseContext,
): Promise<Pick<StoppedFeatures, 'grid' | 'layers' | 'attention' | 'facets'>> {
  const { config, headNorms } = network
  const { stride = config.patchSize } = wanted
  const grid = network.gridOf(size, stride)
  const inside = await insideFor(wanted)
  const choice = planChoiceFor(wanted, config, size, grid, positions, inside)
  const plan = network.planFor(grid, choice)
  const outputs = slotsFor(plan, config, wanted, inside)
  const values = await network.run(pixels, {
    ...choice,
    grid,
    outputs,
    ...(signal === undefined ? {} : { signal }),
  })
  return seenOf({ plan, config, headNorms, values, batch: 1, stride, inside }, 0, wanted)
}
