/** Runs this project on the engine and in the precision that the task names. */
import { dist } from '../dist.mjs'
import { loadNetwork } from '../load-network.mjs'
import { readPixels, serve, task } from './serve.mjs'

const { chooseEngine } = await dist('platform/node/choose-engine.js')

const { model, batch, threads, precision, engine: wanted, instructionSet } = task
const { engine } = await chooseEngine({
  engine: wanted,
  precision,
  threads,
  ...(instructionSet && { instructionSet }),
})
const { network, grid, slots } = await loadNetwork(model, task, engine)
const outputs = [slots.embedding, slots.tokens]
const pixels = await readPixels()

await serve(engine.description, async () =>
  (await network.run(pixels, { grid, batch, outputs })).get(slots.embedding),
)
await engine[Symbol.asyncDispose]()
