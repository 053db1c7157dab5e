/** Measures how fast a network runs on this machine, from pixels to embedding and tokens. Decoding and preparing images is not in it. */
import { availableParallelism } from 'node:os'
import { checkWhole } from '../../../encoder/check-options.js'
import { given } from '../../../encoder/choose-recipe.js'
import { type EngineOptions, engineOptionsOf, type LoadOptions } from '../../../encoder/load-options.js'
import { Network, slotValues } from '../../../encoder/network.js'
import { countFlop } from '../../../engine/count-flop.js'
import type { Engine, Program } from '../../../engine/engine.js'
import type { WasmEngine } from '../../../engine/wasm/wasm-engine.js'
import { findNetwork } from '../../../model/networks.js'
import { readVit, type VitModel } from '../../../model/read-vit.js'
import { hashedCheckpoint, hashedValues } from '../../../verify/hashed-checkpoint.js'
import { chooseEngine } from '../choose-engine.js'
import { findModel } from '../find-model.js'
import { hintsOf, openVit } from '../open-vit.js'
import { measurePeak } from './measure-peak.js'
import { type Profile, profileOf, type TimedRun } from './profile.js'

export interface SpeedOptions extends EngineOptions, Pick<LoadOptions, 'offline' | 'onProgress' | 'signal'> {
  /** Is what `loadEncoder` takes; or the name of a network, which is given weights out of thin air. */
  readonly subject: { readonly model: string } | { readonly network: string }
  /** Is in pixels; default: as the model was trained, and 518, or what is near in whole patches, for a bare network. */
  readonly size?: number | readonly [height: number, width: number]
  /** Counts the images in a run; default 1. */
  readonly batch?: number
  /** Counts the timed runs; default: as many as fit in `seconds`, and no fewer than three. */
  readonly runs?: number
  /** Says how long to go on; default 10. */
  readonly seconds?: number
  /** Times each operation as well, in some runs of their own. `native` can tell, and `wasm` all but for how long threads wait. */
  readonly profile?: boolean
  readonly onStage?: (stage: Stage) => void
}

/** Tells what happens now. */
export type Stage =
  | { readonly stage: 'loading' | 'warming up' | 'timing operations' | 'measuring the peak' }
  | { readonly stage: 'run'; readonly number: number; readonly seconds: number }

export interface Speed {
  /** Names the model after its file, or the bare network. */
  readonly model: string
  readonly randomWeights: boolean
  readonly size: readonly [height: number, width: number]
  readonly batch: number
  readonly engine: { readonly name: string; readonly precision: string; readonly description: string }
  readonly runs: number
  /** Each is the time of one run of the whole batch. */
  readonly seconds: { readonly min: number; readonly median: number }
  /** Lasts from opening the model to packed weights. */
  readonly loadSeconds: number
  /** Counts the floating-point operations of one run as `countFlop` does. */
  readonly flop: number
  /** Is the work of a run over the median of the times. */
  readonly flopPerSecond: number
  /** Is what the processor can do at most in this precision on as many threads; null where that cannot be measured. */
  readonly peakFlopPerSecond: number | null
  /** Says where the time goes, where that was asked. */
  readonly profile: Profile | null
  /** Counts the bytes of the packed weights, and the most that this process has held so far. */
  readonly memory: { readonly weights: number; readonly peak: number }
}

const DEFAULT_SIDE = 518
const DEFAULT_SECONDS = 10
const LEAST_RUNS = 3
const PROFILED_SECONDS = 1

/** Throws what `loadEncoder` throws; `EngineError` `wrong-size` where the size is no whole number of patches. */
export async function measureSpeed(options: SpeedOptions): Promise<Speed> {
  const { subject, batch = 1, signal, onStage = () => {} } = options
  checkWhole('batch', batch, 1)
  checkWhole('runs', options.runs, 1)
  await using engine = (await chooseEngine(engineOptionsOf(options))).engine
  onStage({ stage: 'loading' })
  const started = performance.now()
  await using opened = await openSubject(subject, options)
  using network = await Network.load(opened.vit, engine, given({ signal }))
  const loadSeconds = (performance.now() - started) / 1000

  const size = sizeOf(options.size) ?? opened.size
  const grid = network.gridOf(size)
  const { plan, slots } = network.planFor(grid)
  const outputs = [slots.embedding, slots.tokens]
  const count = batch * network.config.channels * size[0] * size[1]
  const pixels = hashedValues('speed', 'pixels', count, 2, 0)
  const run = () => network.run(pixels, { grid, batch, outputs, ...given({ signal }) })

  const program = network.programFor(grid, outputs)
  // This comes first, since an engine that cannot tell says so at once.
  const timed = options.profile
    ? await timeOperations(program, { pixels, batch, ...given({ signal }) }, onStage)
    : null
  onStage({ stage: 'warming up' })
  await network.assertFinite(slotValues(await run(), slots.embedding))
  const { runs, ...seconds } = await timeRuns(run, options, onStage)
  const peak = process.resourceUsage().maxRSS * 1024
  onStage({ stage: 'measuring the peak' })
  const flop = batch * countFlop(plan, outputs)
  return {
    model: opened.name,
    randomWeights: 'network' in subject,
    size,
    batch,
    engine: { name: engine.name, precision: engine.precision, description: engine.description },
    runs,
    seconds,
    loadSeconds,
    flop,
    flopPerSecond: flop / seconds.median,
    peakFlopPerSecond: await peakOf(engine, { ...options, ...withinProcessors(options) }),
    profile: timed && (await profileOf(timed, (precision) => peakOf(engine, options, precision))),
    memory: { weights: network.byteLength, peak },
  }
}

/** Gives null where it cannot be measured: of a GPU, and of WebAssembly's int8, which multiplies integers where it can. */
async function peakOf(
  engine: Engine,
  { threads, instructionSet }: Pick<EngineOptions, 'threads' | 'instructionSet'>,
  precision = engine.precision,
): Promise<number | null> {
  if (isWasm(engine)) return precision === 'int8' ? null : await engine.measurePeak()
  return engine.name === 'native' ? await measurePeak(precision, given({ threads, instructionSet })) : null
}

/** Runs some times and keeps the quickest run: whatever else the machine does can only make one slower. */
async function timeOperations(
  program: Program,
  { pixels, ...options }: { pixels: Float32Array; batch: number; signal?: AbortSignal },
  onStage: (stage: Stage) => void,
): Promise<TimedRun> {
  onStage({ stage: 'timing operations' })
  const begun = performance.now()
  const time = async (): Promise<TimedRun> => {
    const started = performance.now()
    const times = await program.profile(pixels, options)
    return { times, seconds: (performance.now() - started) / 1000 }
  }
  let best = await time()
  for (let run = 1; run < LEAST_RUNS || performance.now() - begun < PROFILED_SECONDS * 1000; run++) {
    const next = await time()
    if (next.seconds < best.seconds) best = next
  }
  return best
}

/** A processor can do no more for more threads than it has room for. */
function withinProcessors({ threads }: Pick<EngineOptions, 'threads'>): Pick<EngineOptions, 'threads'> {
  return threads === undefined ? {} : { threads: Math.min(threads, availableParallelism()) }
}

function isWasm(engine: Engine): engine is WasmEngine {
  return engine.name === 'wasm'
}

interface OpenSubject extends AsyncDisposable {
  readonly vit: VitModel
  readonly name: string
  readonly size: readonly [height: number, width: number]
}

async function openSubject(subject: SpeedOptions['subject'], options: SpeedOptions): Promise<OpenSubject> {
  if ('network' in subject) {
    const { name, size } = findNetwork(subject.network)
    const [height = DEFAULT_SIDE, width = DEFAULT_SIDE] = size ?? []
    const vit = readVit(hashedCheckpoint(name, [height, width], 'speed'), { network: name })
    const { patchSize } = vit.config
    const side = Math.round(DEFAULT_SIDE / patchSize) * patchSize
    return { vit, name, size: [side, side], [Symbol.asyncDispose]: async () => {} }
  }
  const { offline, onProgress, signal } = options
  const found = await findModel(subject.model, given({ offline, onProgress, signal }))
  const open = await openVit(found, hintsOf(options))
  return {
    vit: open.vit,
    name: open.name,
    size: open.vit.config.size,
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}

async function timeRuns(
  run: () => Promise<unknown>,
  { runs, seconds: budget = DEFAULT_SECONDS }: SpeedOptions,
  onStage: (stage: Stage) => void,
): Promise<{ readonly runs: number; readonly min: number; readonly median: number }> {
  const times: number[] = []
  const begun = performance.now()
  const enough = () =>
    runs === undefined
      ? times.length >= LEAST_RUNS && performance.now() - begun >= budget * 1000
      : times.length >= runs
  while (!enough()) {
    const started = performance.now()
    await run()
    const seconds = (performance.now() - started) / 1000
    times.push(seconds)
    onStage({ stage: 'run', number: times.length, seconds })
  }
  times.sort((a, b) => a - b)
  // Of an even number of runs it is the upper one of the two in the middle.
  const [min, median] = [times[0], times[Math.floor(times.length / 2)]]
  if (min === undefined || median === undefined) throw new RangeError('There is no time without a run.')
  return { runs: times.length, min, median }
}

function sizeOf(size: SpeedOptions['size']): readonly [height: number, width: number] | undefined {
  return typeof size === 'number' ? [size, size] : size
}
