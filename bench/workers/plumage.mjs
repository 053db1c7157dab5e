/** This project, on the engine and in the precision that the task names. */
import { readPixels, serve, task } from './serve.mjs'

const dist = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href)
const { openVit } = await dist('platform/node/open-vit.js')
const { Network } = await dist('encoder/network.js')
const { chooseEngine } = await dist('platform/node/choose-engine.js')

const { model, network: name, side, batch, threads, precision, engine: wanted } = task
const { engine } = await chooseEngine({ engine: wanted, precision, threads })
const open = await openVit(model, { network: name })
const network = await Network.load(open.vit, engine)
await open[Symbol.asyncDispose]()
const grid = network.gridOf([side, side])
const { slots } = network.planFor(grid)
const outputs = [slots.embedding, slots.tokens]
const pixels = await readPixels()

await serve(engine.description, async () =>
  (await network.run(pixels, { grid, batch, outputs })).get(slots.embedding),
)
await engine[Symbol.asyncDispose]()
