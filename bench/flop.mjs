/** Counts what one image costs. */
import { dist } from './dist.mjs'

/** Counts the floating-point operations of one image, up to embedding and tokens. */
export async function flopOfOne(network, side) {
  const [{ countFlop }, { planVit }, { readVit }, { hashedCheckpoint }] = await Promise.all([
    dist('engine/count-flop.js'),
    dist('model/plan-vit.js'),
    dist('model/read-vit.js'),
    dist('verify/hashed-checkpoint.js'),
  ])
  const { config } = readVit(hashedCheckpoint(network, [side, side], 'large-1'), { network })
  const cells = side / config.patchSize
  const { plan, slots } = planVit(config, { rows: cells, columns: cells }, null)
  return countFlop(plan, [slots.embedding, slots.tokens])
}
