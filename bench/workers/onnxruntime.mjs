/** Runs ONNX Runtime as Node programs use it. */
import { createRequire } from 'node:module'
import { readPixels, serve, task } from './serve.mjs'

const require = createRequire(import.meta.url)
const ort = require('onnxruntime-node')
const { version } = require('onnxruntime-node/package.json')

const { model, side, batch, threads } = task
const session = await ort.InferenceSession.create(model, {
  intraOpNumThreads: threads,
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
})
const pixels = new ort.Tensor('float32', await readPixels(), [batch, 3, side, side])

const [embedding] = session.outputNames

await serve(version, async () => (await session.run({ pixels }))[embedding].data)
