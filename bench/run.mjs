/**
 * The benchmark runs networks with the same weights and pixels on Plumage and on what else there is. Each system is a process of its own, and they take
 * turns in one run, so that whatever slows the machine slows all of them. It adds to bench/results.json and writes what bench/README.md shows of it.
 *
 *     npm run bench                                            # ViT-L/14 at 518 x 518, Plumage and onnxruntime-node
 *     npm run bench -- --peers                                 # the same with PyTorch and OpenVINO, installed into bench/.venv
 *     npm run bench -- --models s,b,l --sizes 224,518 --batches 1,8
 *     npm run bench -- --peers --models s,dinov3-s16,b,siglip2-b16 --sizes 224   # networks of transformers beside DINOv2
 *     npm run bench -- --systems plumage,openvino-int8         # some systems only: printed, not recorded
 *     npm run bench -- --dry                                   # likewise
 *     npm run bench -- --peers --hold-to avx512                # all without what the processor has beyond that instruction set
 *     npm run bench -- --gpu                                   # on a GPU, beside PyTorch's CUDA; into bench/gpu-results.json
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Child } from './child.mjs'
import { coldStartFromFile } from './cold-start.mjs'
import { dist } from './dist.mjs'
import { flopOfOne } from './flop.mjs'
import { heldMachine, holdTo } from './hold.mjs'
import { withLock } from './lock.mjs'
import { availableMemory, DISTURBED, describeGpu, describeMachine } from './machine.mjs'
import { median } from './median.mjs'
import { intoPageCache, MOST_IMAGES, modelFile, pixelFile } from './model-files.mjs'
import { networkNamed } from './networks.mjs'
import { fastestOf, gpuResultsPath, resultsPath, writeReport } from './report.mjs'
import { absenceOf, chooseSystems, commandOf, GPU_SYSTEMS, SYSTEMS } from './systems.mjs'
import { compare, findTruth } from './truth.mjs'

const { values: options } = parseArgs({
  options: {
    /** Lists some of s, b, l, which mean networks `vit_reg4_*14_nps_ls`, and of those that networks.mjs names. */
    models: { type: 'string', default: 'l' },
    sizes: { type: 'string', default: '518' },
    batches: { type: 'string', default: '1' },
    systems: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
    /** Names one of HOLDS: no system uses what the processor has beyond it. */
    'hold-to': { type: 'string' },
    /** Names a file that is locked (by flock) whenever something is measured, for machines on which others measure too. */
    lock: { type: 'string' },
    dry: { type: 'boolean', default: false },
    gpu: { type: 'boolean', default: false },
  },
})
/** A turn takes so many seconds; a pass that takes longer is a turn by itself. */
const TURN = 0.5
/** Between turns so many milliseconds pass: threads that wait by spinning have gone to sleep by then. */
const PAUSE = 100
const ATTEMPTS = 3
/** What disturbed a turn gets so many milliseconds to end. */
const LONG_PAUSE = 5000

const { measurePeak } = await dist('platform/node/bench/measure-peak.js')
const held = holdTo(options['hold-to'])
const machine = {
  ...heldMachine(describeMachine(), held),
  ...(options.gpu ? { gpu: await describeGpu() } : {}),
}
const threads = options.threads === undefined ? machine.cores : Number(options.threads)
const systems = chooseSystems(options.systems, options.gpu ? GPU_SYSTEMS : SYSTEMS)
const alone = (action) => withLock(options.lock, action)
const numbers = (list) => list.split(',').map(Number)

for (const model of options.models.split(','))
  for (const side of numbers(options.sizes))
    for (const batch of numbers(options.batches)) {
      const result = await runCase({ network: networkNamed(model), side, batch })
      sayHowFast(result)
      if (options.dry || options.systems !== undefined) console.log(JSON.stringify(result, null, 2))
      else record(result)
    }

/** Two networks are compared by how each does beside the fastest of the others, whatever the machine. */
function sayHowFast(result) {
  for (const precision of new Set(result.systems.map((system) => system.precision))) {
    const { ours, best } = fastestOf(result, precision)
    if (ours === undefined || best === undefined) continue
    const times = best.median / ours.median
    console.log(
      `  ${precision}: ${times.toFixed(2)} times as fast as ${best.name}, the fastest of the others`,
    )
  }
}

/** Runs all systems on one network, size and batch. */
async function runCase({ network, side, batch }) {
  if (batch > MOST_IMAGES) throw new Error(`--batches ${batch}: at most ${MOST_IMAGES} images are there.`)
  console.log(`${network}, ${side} x ${side}, batch ${batch}`)
  const flop = batch * (await flopOfOne(network, side))
  const truth = await alone(() => findTruth(network, side, flop / batch))
  const missing = []
  const running = []
  try {
    for (const system of systems) {
      const started = await startOrReason(system, { network, side, batch, threads })
      if (typeof started === 'string') missing.push(missingRow(system, started))
      else running.push({ ...system, child: started, seconds: [], others: [] })
    }
    const peaks = new Map(running.map(({ precision }) => [precision, 0]))
    for (let round = 0; round < Number(options.rounds); round++) {
      await alone(() => runRound(round, running, missing, peaks))
    }
    const right = truth ?? firstFloat32(running)
    const rows = []
    for (const system of running) rows.push(await finish(system, { flop, peaks, right }))
    return {
      date: new Date().toISOString(),
      machine,
      network,
      side,
      batch,
      threads,
      rounds: Number(options.rounds),
      flop,
      truth: right.source,
      systems: rows,
      missing,
      ...(options.gpu || held !== null
        ? {}
        : { fromFile: await alone(() => coldStartFromFile({ network, side, threads })) }),
    }
  } finally {
    for (const { child } of running) child.kill()
  }
}

/** Gives a running system that has made a turn to warm up, or says why there is none. */
async function startOrReason(system, task) {
  const absence = absenceOf(system)
  if (absence !== null) return report(system, absence)
  try {
    return await alone(async () => {
      const model = await modelFile(task.network, task.side, system.form)
      const wanted = 3 * statSync(await modelFile(task.network, task.side, 'safetensors')).size + 2 ** 29
      if (availableMemory() < wanted)
        return report(
          system,
          'not started: too little memory is left beside the others; name fewer --systems',
        )
      const { settings = {}, precision } = system
      const pixels = pixelFile(task.side)
      intoPageCache(model)
      const child = await Child.start(...commandOf(system), {
        ...task,
        instructionSet: held?.instructionSet,
        ...settings,
        model,
        pixels,
        precision,
      })
      await child.turn(TURN)
      console.log(`  ${system.id} ${child.version}: first embedding after ${child.coldStart.toFixed(2)} s`)
      return child
    })
  } catch (error) {
    return report(system, error.message)
  }
}

function report(system, reason) {
  console.log(`  ${system.id}: ${reason}`)
  return reason
}

/** Gives every system one turn, with another one first in each round. A system that ends is missing from then on. */
async function runRound(round, running, missing, peaks) {
  const first = round % running.length
  for (const system of [...running.slice(first), ...running.slice(0, first)]) {
    try {
      const { seconds, others } = await quietTurn(system.child)
      system.seconds.push(...seconds)
      system.others.push(others)
    } catch (error) {
      running.splice(running.indexOf(system), 1)
      missing.push(missingRow(system, `ended in round ${round + 1}: ${error.message}`))
    }
  }
  for (const [precision, best] of peaks) {
    // What a GPU could do is not measured.
    const measured = options.gpu
      ? null
      : await measurePeak(precision, { threads, instructionSet: held?.instructionSet })
    peaks.set(precision, measured === null ? null : Math.max(best, measured))
  }
  const line = running.map(({ id, seconds }) => `${id} ${median(seconds).toFixed(3)}`).join(', ')
  console.log(`  round ${round + 1}: ${line}`)
}

/** A turn that other work disturbed is made again, and the least disturbed one counts. */
async function quietTurn(child) {
  let best
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, attempt === 0 ? PAUSE : LONG_PAUSE))
    // The first pass after others have run finds nothing of its own in any cache, and pages that the system has put away.
    await child.turn(0)
    const turn = await child.turn(TURN)
    if (best === undefined || turn.others < best.others) best = turn
    if (!(turn.others > DISTURBED)) break
  }
  return best
}

async function finish({ id, name, precision, child, seconds, others }, { flop, peaks, right }) {
  const { cosine, error } = compare(child.embedding, right)
  const rate = flop / median(seconds)
  const peak = peaks.get(precision)
  return {
    id,
    name,
    version: child.version,
    precision,
    passes: seconds.length,
    min: Math.min(...seconds),
    median: median(seconds),
    flopPerSecond: rate,
    peakFlopPerSecond: peak,
    ofPeak: peak === null ? null : rate / peak,
    cosine,
    error,
    peakBytes: await child.end(),
    coldStart: child.coldStart,
    /** Counts the cores that other processes were using meanwhile, in the middle one of the turns. */
    others: others.includes(null) ? null : median(others),
  }
}

/** Where no truth is to be had, a float32 that is not ours is held to be right, and named. */
function firstFloat32(running) {
  const system =
    running.find(({ id }) => id === 'onnxruntime-float32') ??
    running.find(({ precision }) => precision === 'float32')
  if (system === undefined) throw new Error('Nothing to compare with: name a float32 system in --systems.')
  const { embedding } = system.child
  return { source: `${system.name} in float32, which is no truth`, embeddings: [Array.from(embedding)] }
}

function missingRow({ id, name, precision }, reason) {
  return { id, name, precision, reason }
}

function record(result) {
  const path = options.gpu ? gpuResultsPath : resultsPath
  let results = []
  try {
    results = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    // The first run has nothing to add to.
  }
  writeFileSync(path, `${JSON.stringify([...results, result], null, 2)}\n`)
  writeReport()
}
