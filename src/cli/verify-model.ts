/** Tries a model for `plumage verify <model>`, and prints a table with a line for each engine and precision, and which to take. */
import type { MeasuredRow, ModelRow, Truth, VerifiedModel } from '../verify/model/verified-model.js'
import { IncompleteError, InterruptedError, UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { loadListeners } from './load-chosen-encoder.js'
import { loadOptions, type ModelOptions } from './model-options.js'
import { photoPlace } from './photo-place.js'
import { Progress } from './progress.js'
import { terminal } from './run-resumably.js'

export interface VerifyModelCommandOptions extends Omit<ModelOptions, 'model'> {
  readonly photos?: readonly string[]
}

export async function verifyModel(
  context: CommandContext,
  model: string,
  options: VerifyModelCommandOptions,
): Promise<void> {
  const found = await verified(context, model, options)
  context.stdout.write(options.json ? `${JSON.stringify(found)}\n` : `${describe(found)}\n`)
  if (found.recommended === null)
    throw new IncompleteError(
      'No engine and precision keeps its promise on these photos: none is recommended.',
    )
}

async function verified(
  context: CommandContext,
  model: string,
  { photos, ...options }: VerifyModelCommandOptions,
): Promise<VerifiedModel> {
  const json = options.json ?? false
  using progress = new Progress({ ...terminal(context), json, total: undefined })
  const { signal } = context
  const load = { ...loadOptions({ ...options, model }, signal), ...loadListeners(context, json, progress) }
  try {
    return await context.verifyModel(model, {
      load,
      signal,
      ...(photos === undefined ? {} : { photos: photos.map((photo) => photoPlace(context.files, photo)) }),
      onTry: (engine, precision) => progress.phase(`${engine}, ${precision}`),
    })
  } catch (error) {
    if (signal.aborted) throw new InterruptedError('Interrupted before all engines were tried.')
    throw error instanceof RangeError ? new UsageError(error.message) : error
  }
}

const HEAD = [
  'engine',
  'precision',
  'embedding',
  'tokens',
  'mean patch',
  'worst patch',
  'error',
  'a photo',
  'memory',
  'promise',
]

/** Writes the result for people. */
function describe({ model, size, photos, truth, rows, recommended }: VerifiedModel): string {
  const measured = rows.filter((row): row is MeasuredRow => row.kind === 'measured')
  const table = [HEAD, ...measured.map(cellsOf)]
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const lines = table.map((row) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  )
  const refused = rows.filter((row) => row.kind === 'refused')
  return [
    `${model} at ${size.join(' x ')} on ${photos} ${photos === 1 ? 'photo' : 'photos'}: cosines with ${truthText(truth)}`,
    '',
    ...lines,
    ...(refused.length === 0 ? [] : ['', 'not run']),
    ...refused.map(({ engine, precision, reason }) => `  ${engine}, ${precision}: ${reason}`),
    '',
    recommendation(recommended),
  ].join('\n')
}

function truthText({ engine, precision, check }: Truth): string {
  if (check === null) return 'the reference engine (float32 weights, float64 sums).'
  const nearness = `the embedding's cosine with it was ${cosine(check.embeddingCosine)}, that of the tokens ${cosine(check.tokensCosine)}`
  const verdict = check.isKept
    ? ''
    : '\nThat is farther than float32 promises: nothing can be said of the others. Please report it.'
  return (
    `${engine} ${precision}, since the reference engine would take too long.\n` +
    `The reference engine has computed ${check.size.join(' x ')} pixels from the middle of the first photo: ${nearness}.${verdict}`
  )
}

function cellsOf(row: MeasuredRow): readonly string[] {
  const { engine, precision, memory, seconds, promise, isKept, isTruth } = row
  const time = seconds < 1 ? `${(1000 * seconds).toPrecision(3)} ms` : `${seconds.toPrecision(3)} s`
  const bytes = `${((memory.weights + memory.activations) / 2 ** 20).toFixed(1)} MiB`
  const nearness = isTruth
    ? ['truth', 'truth', 'truth', 'truth', 'truth']
    : [
        cosine(row.embeddingCosine),
        cosine(row.tokensCosine),
        cosine(row.meanPatchCosine),
        cosine(row.worstPatchCosine),
        row.relativeError.toExponential(1),
      ]
  return [engine, precision, ...nearness, time, bytes, `${isKept ? 'kept' : 'BROKEN'} (${promise})`]
}

/** Nine digits tell float32 from what is less exact, and a cosine is never rounded up to more than it is. */
function cosine(value: number): string {
  return (Math.floor(value * 1e9) / 1e9).toFixed(9)
}

function recommendation(row: ModelRow | null): string {
  if (row === null) return 'None is recommended.'
  return `Take ${row.engine} in ${row.precision}, the fastest that keeps its promise: --engine ${row.engine} --precision ${row.precision}`
}
