/**
 * Tells how fast the native engine runs a vision transformer of given sizes, beside the multiply-add peak of the same threads in the same run.
 * Weights are pseudo-random, so that no file is needed.
 *
 *     node bench/native-profile.mjs [--width 1024 --heads 16 --depth 24 --patch 14 --size 518 --batch 1 --runs 5]
 *                                   [--instruction-set avx2] [--precision bfloat16] [--threads 1] [--check]
 *
 * --check compares the tokens with those of a float32 pass, and tells the lowest cosine of a token and the largest difference beside the largest value.
 */
import { parseArgs } from 'node:util'
import { countFlop } from '../dist/engine/count-flop.js'
import { PRECISIONS } from '../dist/engine/ops.js'
import { planVit } from '../dist/model/plan-vit.js'
import { createNativeEngine } from '../dist/platform/node/native/index.js'
import { loadAddon } from '../dist/platform/node/native/load-addon.js'
import { pseudoRandomVit, SIZE_OPTIONS, sizesFrom } from './pseudo-random-vit.mjs'

const { values } = parseArgs({
  options: {
    ...SIZE_OPTIONS,
    runs: { type: 'string', default: '5' },
    threads: { type: 'string' },
    'instruction-set': { type: 'string' },
    precision: { type: 'string', default: 'float32' },
    check: { type: 'boolean', default: false },
  },
})
const sizes = sizesFrom(values)
const { width, patch, rows, batch } = sizes
const runs = Number(values.runs)
const { config, weights, positions, random } = pseudoRandomVit(sizes)
const { plan, slots } = planVit(config, { rows, columns: rows }, positions)
const tokens = 5 + rows * rows
const operations = batch * countFlop(plan, [slots.tokens])

const instructionSet = values['instruction-set']
const engine = createNativeEngine({
  ...(instructionSet === undefined ? {} : { instructionSet }),
  ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
  precision: values.precision,
})
const [path, threads] = engine.description.split(', ')
const addon = loadAddon()
const peakEngine = addon.createEngine(path, Number.parseInt(threads, 10))
const measurePeak = () =>
  new Promise((resolve) =>
    addon.measurePeak(peakEngine, PRECISIONS.indexOf(values.precision), [
      (_status, gigaflops) => resolve(gigaflops),
    ]),
  )

const loadStart = performance.now()
const model = await engine.load(plan, weights)
const loadSeconds = (performance.now() - loadStart) / 1000
const program = model.compile(plan, [slots.tokens])
const pixels = 3 * (rows * patch) ** 2
const input = new Float32Array(batch * pixels).map((_, i) => random[i % random.length])

const seconds = []
// A busy neighbour does not change processor time (much).
const processorSeconds = []
const peaks = []
for (let run = 0; run <= runs; run++) {
  peaks.push(await measurePeak())
  const start = performance.now()
  const usage = process.cpuUsage()
  await program.run(input, { batch })
  const { user, system } = process.cpuUsage(usage)
  if (run === 0) continue
  seconds.push((performance.now() - start) / 1000)
  processorSeconds.push((user + system) / 1e6)
}
seconds.sort((a, b) => a - b)
const [min, median, peak] = [seconds[0], seconds[seconds.length >> 1], Math.max(...peaks)]
const rate = operations / min / 1e9
console.log(
  `${engine.description}, ${values.precision}; ${tokens} tokens x ${batch}, ${(operations / 1e12).toFixed(3)} TFLOP; load ${loadSeconds.toFixed(2)} s`,
)
console.log(
  `min ${min.toFixed(3)} s, median ${median.toFixed(3)} s (processor time ${Math.min(...processorSeconds).toFixed(2)} s); ${rate.toFixed(0)} GFLOP/s of a peak of ${peak.toFixed(0)} (${((100 * rate) / peak).toFixed(0)} %); activations ${(program.activationBytes(batch) / 2 ** 20).toFixed(0)} MB`,
)

if (values.check) {
  const tokensOf = async (someProgram) => [...(await someProgram.run(input, { batch })).values()][0]
  const found = await tokensOf(program)
  const truth = await createNativeEngine().load(plan, weights)
  const expected = await tokensOf(truth.compile(plan, [slots.tokens]))
  let [lowest, difference, largest] = [1, 0, 0]
  for (let row = 0; row < expected.length; row += width) {
    let [dot, a, b] = [0, 0, 0]
    for (let i = row; i < row + width; i++) {
      dot += found[i] * expected[i]
      a += found[i] ** 2
      b += expected[i] ** 2
      difference = Math.max(difference, Math.abs(found[i] - expected[i]))
      largest = Math.max(largest, Math.abs(expected[i]))
    }
    lowest = Math.min(lowest, dot / Math.sqrt(a * b))
    if (!(lowest <= 1)) lowest = Number.NaN
  }
  console.log(
    `beside float32: lowest cosine of a token ${lowest.toFixed(9)}, largest difference ${(difference / largest).toExponential(1)} of the largest value`,
  )
}
