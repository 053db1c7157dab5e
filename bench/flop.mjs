/** Counts what one image costs. */
import { dist } from './dist.mjs'
import { modelFile } from './model-files.mjs'
import { isOfTransformers } from './networks.mjs'

/** Counts the floating-point operations of one image, up to embedding and tokens. Throws where the side is no whole number of patches. */
export async function flopOfOne(network, side) {
  const [{ countFlop }, { planVit }] = await Promise.all([
    dist('engine/count-flop.js'),
    dist('model/plan-vit.js'),
  ])
  const config = await configOf(network, side)
  const cells = side / config.patchSize
  if (!Number.isInteger(cells))
    throw new Error(`${side} is no whole number of patches of ${config.patchSize}, which ${network} has.`)
  const { plan, slots } = planVit(config, { rows: cells, columns: cells }, null)
  return countFlop(plan, [slots.embedding, slots.tokens])
}

async function configOf(network, side) {
  if (isOfTransformers(network)) {
    const { openVit } = await dist('platform/node/open-vit.js')
    const open = await openVit(await modelFile(network, side, 'safetensors'))
    await open[Symbol.asyncDispose]()
    return open.vit.config
  }
  const [{ readVit }, { hashedCheckpoint }] = await Promise.all([
    dist('model/read-vit.js'),
    dist('verify/hashed-checkpoint.js'),
  ])
  return readVit(hashedCheckpoint(network, [side, side], 'large-1'), { network }).config
}
