/** How fast a network runs on this machine: pixels in, embedding and tokens out. Decoding and preparing images is not in it. */
import { checkWhole } from '../../../encoder/check-options.js'
import { given } from '../../../encoder/choose-recipe.js'
import type { EngineOptions, LoadOptions } from '../../../encoder/load-options.js'
import { Network, slotValues } from '../../../encoder/network.js'
import { countFlop } from '../../../engine/count-flop.js'
import type { Engine } from '../../../engine/engine.js'
import type { WasmEngine } from '../../../engine/wasm/wasm-engine.js'
import { findNetwork } from '../../../model/networks.js'
import { readVit, type VitModel } from '../../../model/read-vit.js'
import { hashedCheckpoint, hashedValues } from '../../../verify/hashed-checkpoint.js'
import { chooseEngine } from '../choose-engine.js'
import { openModel } from '../open-vit.js'
import { measurePeak } from './measure-peak.js'

export interface SpeedOptions extends EngineOptions, Pick<LoadOptions, 'offline' | 'onProgress' | 'signal'> {
  /** What `loadEncoder` takes; or the name of a network, which is given weights out of thin air. */
  readonly subject: { readonly model: string } | { readonly network: string }
  /** Pixels; default: as the model was trained, and 518, or what is near in whole patches, for a bare network. */
  readonly size?: number | readonly [height: number, width: number]
  /** Images in a run; default 1. */
  readonly batch?: number
  /** Timed runs; default: as many as fit in `seconds`, and no fewer than three. */
  readonly runs?: number
  /** Default 10. */
  readonly seconds?: number
  readonly onStage?: (stage: Stage) => void
}

/** What happens now. */
export type Stage =
  | { readonly stage: 'loading' | 'warming up' | 'measuring the peak' }
  | { readonly stage: 'run'; readonly number: number; readonly seconds: number }

export interface Speed {
  /** Such as `vit_reg4_l14_nps_ls`, and whether its weights are its own. */
  readonly model: string
  readonly randomWeights: boolean
  readonly size: readonly [height: number, width: number]
  readonly batch: number
  readonly engine: { readonly name: string; readonly precision: string; readonly description: string }
  readonly runs: number
  /** Of one run of the whole batch. */
  readonly seconds: { readonly min: number; readonly median: number }
  /** From opening the model to packed weights. */
  readonly loadSeconds: number
  /** Floating-point operations of one run, as `countFlop` counts them. */
  readonly flop: number
  /** Over the median. */
  readonly flopPerSecond: number
  /** What the processor can do at most in this precision on as many threads, where that could be measured. */
  readonly peakFlopPerSecond: number | null
  /** Bytes: the packed weights, and the most that this process has held so far. */
  readonly memory: { readonly weights: number; readonly peak: number }
}

const DEFAULT_SIDE = 518
const DEFAULT_SECONDS = 10
const LEAST_RUNS = 3

/** Throws what `loadEncoder` throws; `EngineError` `wrong-size` where the size is no whole number of patches. */
export async function measureSpeed(options: SpeedOptions): Promise<Speed> {
  const { subject, batch = 1, signal, onStage = () => {} } = options
  checkWhole('batch', batch, 1)
  checkWhole('runs', options.runs, 1)
  await using engine = (await chooseEngine(options)).engine
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

  onStage({ stage: 'warming up' })
  await network.assertFinite(slotValues(await run(), slots.embedding))
  const seconds = await timeRuns(run, options, onStage)
  const peak = process.resourceUsage().maxRSS * 1024
  onStage({ stage: 'measuring the peak' })
  const flop = batch * countFlop(plan, outputs)
  return {
    model: opened.name,
    randomWeights: 'network' in subject,
    size,
    batch,
    engine: { name: engine.name, precision: engine.precision, description: engine.description },
    runs: seconds.length,
    seconds: { min: seconds[0], median: median(seconds) },
    loadSeconds,
    flop,
    flopPerSecond: flop / median(seconds),
    peakFlopPerSecond: await peakOf(engine, options.threads),
    memory: { weights: network.byteLength, peak },
  }
}

/** Null where it cannot be measured: what a GPU could do is not known here. */
async function peakOf(engine: Engine, threads: number | undefined): Promise<number | null> {
  if (isWasm(engine)) return await engine.measurePeak()
  return engine.name === 'native' ? await measurePeak(engine.precision, threads) : null
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
    const [height, width] = size ?? [DEFAULT_SIDE, DEFAULT_SIDE]
    const vit = readVit(hashedCheckpoint(name, [height, width], 'speed'), { network: name })
    const { patchSize } = vit.config
    const side = Math.round(DEFAULT_SIDE / patchSize) * patchSize
    return { vit, name, size: [side, side], [Symbol.asyncDispose]: async () => {} }
  }
  const open = await openModel(subject.model, options)
  return {
    vit: open.vit,
    name: open.name,
    size: open.vit.config.size,
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}

/** @returns seconds of each run, the shortest first */
async function timeRuns(
  run: () => Promise<unknown>,
  { runs, seconds: budget = DEFAULT_SECONDS }: SpeedOptions,
  onStage: (stage: Stage) => void,
): Promise<readonly number[]> {
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
  return times.sort((a, b) => a - b)
}

/** Of sorted values; the upper one of two in the middle. */
function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)]
}

function sizeOf(size: SpeedOptions['size']): readonly [height: number, width: number] | undefined {
  return typeof size === 'number' ? [size, size] : size
}
