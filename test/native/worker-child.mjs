/** Runs in a worker that is in the middle of a long run on a native engine, with more of them waiting; its parent terminates it. */
import { parentPort } from 'node:worker_threads'
import { createNativeResample } from '../../dist/platform/node/native/index.js'
import { BATCH, checkResize, engineOf, pixels, plan, weights } from './small-model.mjs'

const engine = engineOf(3)
const model = await engine.load(plan, weights)
const program = model.compile(plan, ['y'])
await program.run(pixels, { batch: BATCH })
const resample = createNativeResample()
for (let i = 0; i < 200; i++) {
  void program.run(pixels, { batch: BATCH }).catch(() => {})
  void checkResize(resample).catch(() => {})
}
parentPort.postMessage('under way')
