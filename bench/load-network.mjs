/** Loads a network from its file onto an engine, as an encoder does, with its input's grid and slots. */
import { dist } from './dist.mjs'
import { hintsOf } from './networks.mjs'

export async function loadNetwork(path, { network: name, side }, engine) {
  const { openVit } = await dist('platform/node/open-vit.js')
  const { Network } = await dist('encoder/network.js')
  const open = await openVit(path, hintsOf(name))
  const network = await Network.load(open.vit, engine)
  await open[Symbol.asyncDispose]()
  const grid = network.gridOf([side, side])
  return { network, grid, slots: network.planFor(grid).slots }
}
