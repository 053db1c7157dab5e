/** `plumage bench` says how fast a model, or a network with random weights, runs on this machine. */
import { Command, InvalidArgumentError, Option } from 'commander'
import type { InstructionSet } from '../../engine/native/addon.js'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import type { Speed, SpeedOptions, Stage } from '../../platform/node/bench/measure-speed.js'
import type { Profile, ProfiledOperation } from '../../platform/node/bench/profile.js'
import { INSTRUCTION_SET_CHOICES } from '../../platform/node/engine-choices.js'
import { InterruptedError, UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { loadListeners } from '../load-chosen-encoder.js'
import { addComputeOptions, type ComputeOptions, parseSize, positiveInteger } from '../model-options.js'
import { Progress } from '../progress.js'
import { terminal } from '../run-resumably.js'

/** Operations that take a smaller share are shown in one line together. */
const LEAST_SHARE = 0.0005

interface BenchOptions extends ComputeOptions {
  readonly network?: string
  readonly size?: number | [height: number, width: number]
  readonly batch?: number
  readonly runs?: number
  readonly seconds?: number
  readonly instructionSet?: InstructionSet
  readonly profile?: boolean
  readonly offline?: boolean
  readonly json?: boolean
}

export function benchCommand(context: CommandContext): Command {
  const command = new Command('bench')
    .description('time a network on this machine, from pixels to embedding and tokens')
    .argument(
      '[model]',
      `${DEFAULT_MODEL.name} (in the package, the default), the name of published weights, a path or an address`,
    )
    .option('--network <name>', "a network of Birder's registry, with random weights: nothing is downloaded")
    .option(
      '--size <pixels>',
      'input size: 224, or 224x336 for height x width (default: as trained; 518 with --network)',
      parseSize,
    )
    .option('--batch <n>', 'images per run (default: 1)', positiveInteger)
  return addComputeOptions(command)
    .addOption(
      new Option('--seconds <n>', 'how long to go on, at least three runs (default: 10)')
        .argParser(positiveNumber)
        .conflicts('runs'),
    )
    .option('--runs <n>', 'how many runs', positiveInteger)
    .addOption(
      new Option('--instruction-set <name>', 'path of the native engine (default: the fastest)').choices(
        INSTRUCTION_SET_CHOICES,
      ),
    )
    .option('--profile', 'where the time goes, operation by operation (engines native and wasm)')
    .option('--offline', 'never download')
    .option('--json', 'the result as one JSON object, progress as JSON lines on stderr')
    .action((model: string | undefined, options: BenchOptions) => bench(context, model, options))
}

async function bench(
  context: CommandContext,
  model: string | undefined,
  { network, json = false, ...options }: BenchOptions,
): Promise<void> {
  if (model !== undefined && network !== undefined) {
    throw new UsageError(
      `${model} is a model and --network ${network} a network with random weights: name one of the two.`,
    )
  }
  const subject = network === undefined ? { model: model ?? DEFAULT_MODEL.name } : { network }
  const speed = await measure(context, json, { ...options, subject })
  context.stdout.write(json ? `${JSON.stringify(speed)}\n` : `${describeSpeed(speed)}\n`)
}

async function measure(context: CommandContext, json: boolean, options: SpeedOptions): Promise<Speed> {
  using progress = new Progress({ ...terminal(context), json, total: undefined })
  try {
    return await context.measureSpeed({
      ...options,
      ...loadListeners(context, json, progress),
      signal: context.signal,
      onStage: (stage) => progress.phase(describeStage(stage)),
    })
  } catch (error) {
    if (context.signal.aborted) throw new InterruptedError('Interrupted before all runs were done.')
    // An option has a value that makes no sense.
    throw error instanceof RangeError ? new UsageError(error.message) : error
  }
}

function describeStage(now: Stage): string {
  return now.stage === 'run' ? `run ${now.number}: ${seconds(now.seconds)}` : now.stage
}

/** Writes the result for people. */
function describeSpeed(speed: Speed): string {
  const { engine, size, batch, runs, memory, flop, flopPerSecond, peakFlopPerSecond } = speed
  const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`
  const share =
    peakFlopPerSecond === null
      ? 'the most that this processor can do was not measured'
      : `${((100 * flopPerSecond) / peakFlopPerSecond).toFixed(0)} % of the ${flopText(peakFlopPerSecond, 3)}/s that this processor can do`
  const rows: readonly [string, string][] = [
    ['network', `${speed.model}${speed.randomWeights ? ', random weights' : ''}`],
    ['input', `${size.join(' x ')}, ${batch} ${batch === 1 ? 'image' : 'images'} a run`],
    ['engine', `${engine.name}, ${engine.precision} (${engine.description})`],
    ['time', `${seconds(speed.seconds.min)} min, ${seconds(speed.seconds.median)} median of ${runs} runs`],
    ['images', `${(batch / speed.seconds.median).toPrecision(3)} a second`],
    ['rate', `${flopText(flopPerSecond, 3)}/s with ${flopText(flop, 4)} a run; ${share}`],
    ['memory', `${gibibytes(memory.peak)} at most, ${gibibytes(memory.weights)} of it packed weights`],
    ['loading', seconds(speed.loadSeconds)],
  ]
  const lines = rows.map(([label, value]) => `${label.padEnd(9)}${value}`)
  return [...lines, ...(speed.profile === null ? [] : ['', ...describeProfile(speed, speed.profile)])].join(
    '\n',
  )
}

/**
 * Writes a table with a line for all operations that are alike. The speed is that of threads at work: what products do of what they could, and how many
 * bytes of activations pass through all else.
 */
function describeProfile(
  { engine }: Speed,
  { operations, threads, waiting, dispatch, seconds: total }: Profile,
): readonly string[] {
  const of = (share: number, name: string, count = '', speed = '') => [
    percent(share),
    shortTime(share * total),
    count,
    speed,
    name,
  ]
  const shown = operations.filter(({ share }) => share >= LEAST_SHARE)
  const rows = shown.map((operation) => {
    const { kind, shape, precision, count, share } = operation
    const other = precision === null || precision === engine.precision ? '' : `, ${precision}`
    return of(share, `${kind} ${shape}${other}`, `${count}`, speedOf(operation))
  })
  const rest = operations.filter(({ share }) => share < LEAST_SHARE)
  const sum = (part: 'share' | 'count') => rest.reduce((total, operation) => total + operation[part], 0)
  if (rest.length > 0) rows.push(of(sum('share'), 'all others', `${sum('count')}`))
  if (waiting !== null) rows.push(of(waiting, 'waiting for other threads or a processor'))
  rows.push(of(dispatch, 'handing the run over and back'))
  rows.push(of(1, `a run on ${threads} ${threads === 1 ? 'thread' : 'threads'}`))
  const all = [['share', 'time', 'count', 'speed', 'operation'], ...rows]
  const [first = []] = all
  const widths = first.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const last = first.length - 1
  const table = all.map((row) =>
    row.map((cell, column) => (column === last ? cell : cell.padStart(widths[column] ?? 0))).join('  '),
  )
  return waiting === null
    ? [...table, 'Operations contain waiting, which this engine cannot tell apart.']
    : table
}

function speedOf({ flop, bytes, seconds, peakFlopPerSecond }: ProfiledOperation): string {
  if (flop === 0) return `${(bytes / seconds / 1e9).toPrecision(3)} GB/s`
  if (peakFlopPerSecond === null) return `${flopText(flop / seconds, 3)}/s`
  return `${percent(flop / seconds / peakFlopPerSecond)} of peak`
}

function shortTime(value: number): string {
  return value < 1 ? `${(1000 * value).toFixed(value < 0.01 ? 2 : 1)} ms` : seconds(value)
}

function percent(part: number): string {
  return `${(100 * part).toFixed(part < 0.0995 ? 1 : 0)} %`
}

function flopText(count: number, digits: number): string {
  return count < 1e12
    ? `${(count / 1e9).toPrecision(digits)} GFLOP`
    : `${(count / 1e12).toPrecision(digits)} TFLOP`
}

/** Three digits tell what repeats, and more would not. */
function seconds(value: number): string {
  return `${value < 10 ? value.toPrecision(3) : value.toFixed(1)} s`
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError(`Expected seconds, such as 10 or 0.5; found ${text}.`)
}
