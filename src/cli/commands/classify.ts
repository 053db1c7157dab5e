/** `plumage classify` names what a model's own classifier, or one that was trained on its embeddings, sees in each image, the likeliest classes first. */
import { Command, Option } from 'commander'
import { given } from '../../encoder/choose-recipe.js'
import type { TrainedHead } from '../../encoder/trained-head.js'
import type { Features } from '../../encoder/types.js'
import {
  CLASS_CSV_HEADER,
  type ClassLabels,
  classCsvLines,
  classesOf,
  classJsonLine,
} from '../../formats/class-table.js'
import type { PlainRecord } from '../../plain-value.js'
import { CLASS_FORMATS, classRows, isClassFormat } from '../../work/class-rows.js'
import type { EncodeChoices } from '../../work/encode-inputs.js'
import type { FileEncoder } from '../../work/file-encoder.js'
import { formatOfPath } from '../../work/output-format.js'
import { totalOf } from '../../work/work-input.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import { loadEncoderAs } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import {
  addFrameOptions,
  type FilmInputOptions,
  filmWork,
  gatherWithFilms,
  streamWithFilms,
} from '../film-inputs.js'
import { addInputs } from '../gather-inputs.js'
import { loadChosenEncoder } from '../load-chosen-encoder.js'
import { addImageOptions, addModelOption, type ModelOptions, positiveInteger } from '../model-options.js'
import { Progress, printable } from '../progress.js'
import { fileOf, listenerOf, prepareOutput, runResumably, terminal } from '../run-resumably.js'

const FORMATS = ['text', ...CLASS_FORMATS] as const
type ClassifyFormat = (typeof FORMATS)[number]

interface ClassifyOptions extends ModelOptions, Omit<FilmInputOptions, 'json'> {
  readonly top: number
  readonly output?: string
  readonly format?: ClassifyFormat
  readonly batch?: number
  readonly tta?: boolean
  readonly classifier?: string
  readonly restart?: boolean
  readonly prune?: boolean
}

export function classifyCommand(context: CommandContext): Command {
  const command = addInputs(
    new Command('classify').description("name what a model's classifier sees in each image"),
  )
  addFrameOptions(addImageOptions(addModelOption(command)))
    .option(
      '-o, --output <file>',
      'a file, or an object in a bucket (s3:, az:, gs:), ending in .jsonl or .csv, which a rerun goes on with; default: stdout, as is -',
    )
    .option('-k, --top <n>', 'so many classes of each image', positiveInteger, 5)
    .addOption(
      new Option('--format <format>', 'default: text on a terminal, jsonl elsewhere').choices(FORMATS),
    )
    .option(
      '--classifier <file>',
      'a head that plumage label --train has written, at a path or an address; its model is loaded as it was then, unless one is named',
    )
    .option('--batch <n>', 'images per run of the engine', positiveInteger)
    .option('--tta', "take the mean over five crops of each image, as Birder's test-time augmentation does")
    .option('--json', 'progress as JSON lines on stderr')
    .option('--restart', 'forget what earlier runs have written to the output, finished or not')
    .option('--prune', 'drop rows of the output whose images are not among the inputs')
  return command.action((inputs: string[], options: ClassifyOptions, self: Command) =>
    classify(context, inputs, options, givenOf(self, options)),
  )
}

/** Picks what was said and is no default. */
function givenOf(command: Command, options: ClassifyOptions): Partial<ClassifyOptions> {
  const said = Object.entries(options).filter(([name]) => command.getOptionValueSource(name) === 'cli')
  return Object.fromEntries(said)
}

async function classify(
  context: CommandContext,
  names: readonly string[],
  options: ClassifyOptions,
  explicit: Partial<ClassifyOptions>,
): Promise<void> {
  const { output = '-', restart, prune } = options
  if (options.classifier !== undefined && options.tta)
    throw new UsageError("--tta crops images for a model's own classifier: leave it out with --classifier.")
  if (output === '-') {
    for (const [option, given] of Object.entries({ restart, prune }))
      if (given) throw new UsageError(`--${option} needs --output to be a file: only such work is kept.`)
    return await classifyToStream(context, names, options, explicit)
  }
  const format = options.format ?? formatOfPath(output, CLASS_FORMATS)
  if (format === 'text' || !isClassFormat(format))
    throw new UsageError(`Classes go into a file as ${CLASS_FORMATS.join(' or ')}, not as ${format}.`)
  const file = fileOf(await prepareOutput(context, output), output, 'leave --output out to write to stdout.')
  const inputs = await gatherWithFilms(context, names, options)
  const { encoder: loaded, head } = await loadClassifier(context, options, explicit)
  using _ = loaded
  const { encoder, what } = await filmWork(inputs, loaded, options)
  const count = countOf(encoder, head, options)
  await runResumably(context, {
    output: file,
    format,
    inputs,
    encoder,
    rowFormat: classRows(head?.classes ?? encoder.labels),
    shape: [count, 2],
    what: `the ${count} likeliest classes${options.tta ? ' of five crops' : ''}${what}${head === undefined ? '' : ` by the head ${await digestOfHead(head)}`}`,
    valuesOf: await valuesOf(count, head),
    encode: encodeChoices(options),
    restart: restart ?? false,
    prune: prune ?? false,
    json: options.json ?? false,
  })
}

/** Nothing is kept: what was written has reached whoever reads it. */
async function classifyToStream(
  context: CommandContext,
  names: readonly string[],
  options: ClassifyOptions,
  explicit: Partial<ClassifyOptions>,
): Promise<void> {
  const { StreamOutput } = await import('../../platform/node/files/stream-output.js')
  const { InputLoop } = await import('../../work/encode-inputs.js')
  const inputs = await streamWithFilms(context, names, options)
  await using output = StreamOutput.stdout(context)
  const format = options.format ?? (output.isTerminal ? 'text' : 'jsonl')
  const { encoder: loaded, head } = await loadClassifier(context, options, explicit)
  using _ = loaded
  const { encoder } = await filmWork(inputs, loaded, options)
  const count = countOf(encoder, head, options)
  const write = WRITERS[format]
  const classesIn = await valuesOf(count, head)
  const labels = head?.classes ?? encoder.labels
  using progress = new Progress({
    ...terminal(context),
    json: options.json ?? false,
    total: totalOf(inputs),
  })
  const loop = new InputLoop(
    {
      inputs,
      files: context.files,
      encoder,
      encode: encodeChoices(options),
      listener: listenerOf(progress),
      signal: context.signal,
    },
    { has: () => false },
  )
  try {
    if (format === 'csv') await output.write(CLASS_CSV_HEADER)
    for await (const { input, features } of loop.found()) {
      const row = { path: input.path, values: classesIn(features) }
      await output.write(write(row, labels))
      loop.done(input)
    }
    const { computed, failed } = loop.finish()
    progress.finish(`${computed} classified`, {})
    if (failed > 0) throw new IncompleteError(`${failed} of ${computed + failed} images failed.`)
  } catch (error) {
    if (!context.signal.aborted) throw error
    throw new InterruptedError('Interrupted.')
  }
}

/** Says how many classes of each image are written. Throws `UsageError` for a model that has none, before any image is read. */
function countOf(
  { classes }: FileEncoder,
  head: TrainedHead | undefined,
  { top, model }: ClassifyOptions,
): number {
  if (head !== undefined) return Math.min(top, head.classes.length)
  if (classes !== null) return Math.min(top, classes)
  throw new UsageError(
    `The model ${model} has no classifier: it makes embeddings (plumage embed). Name one that was trained on them (--classifier), or take a model whose name ends in classes that it was trained on, such as vit_small_patch16_224.augreg_in21k_ft_in1k.`,
  )
}

/** A head takes the embeddings of the model that it was trained on, and of no other. */
async function loadClassifier(
  context: CommandContext,
  options: ClassifyOptions,
  explicit: Partial<ClassifyOptions>,
): Promise<{ readonly encoder: FileEncoder; readonly head?: TrainedHead }> {
  const { classifier } = options
  if (classifier === undefined) return { encoder: await loadChosenEncoder(context, options) }
  const { openFile } = await import('../../platform/node/open-file.js')
  const { assertHeadFits, readHead } = await import('../../encoder/trained-head.js')
  const { signal, files } = context
  const head = await readHead(await openFile(files.resolve(classifier), { signal }), { signal })
  const { model: source = head.model.source, ...others } = explicit
  const model = { source, options: { ...head.model.options, ...(others as PlainRecord) } }
  const encoder = await loadEncoderAs(context, model, options, ({ identity }) =>
    assertHeadFits(head, identity),
  )
  return { encoder, head }
}

/** Tells heads apart that finished outputs were made by. */
async function digestOfHead(head: TrainedHead): Promise<string> {
  const { headFile } = await import('../../collection/labels/train-head.js')
  const bytes = await crypto.subtle.digest('SHA-256', Uint8Array.from(headFile(head)))
  return Buffer.from(bytes).toString('hex').slice(0, 12)
}

function encodeChoices({ batch, tta }: ClassifyOptions): EncodeChoices {
  return given({ batch, tta })
}

/** Makes a row [k, 2] of an image: number and probability of each of its likeliest classes. What no other command needs is loaded here. */
async function valuesOf(
  count: number,
  head: TrainedHead | undefined,
): Promise<(features: Features) => Float32Array> {
  const { topClasses } = await import('../../numerics/top-classes.js')
  const { headScores } = await import('../../encoder/trained-head.js')
  return ({ logits: own, embedding }) => {
    const logits = head === undefined ? own : headScores(head, embedding)
    if (logits === undefined) throw new Error('The encoder has a classifier and gave no scores.')
    return Float32Array.from(
      topClasses(logits, count).flatMap(({ index, probability }) => [index, probability]),
    )
  }
}

type WriteClasses = (
  row: { readonly path: string; readonly values: Float32Array },
  labels: ClassLabels,
) => string

const WRITERS: Readonly<Record<ClassifyFormat, WriteClasses>> = {
  text: ({ path, values }, labels) =>
    `${printable(path)}  ${classesOf(values, labels).map(textOf).join(', ')}\n`,
  jsonl: classJsonLine,
  csv: classCsvLines,
}

function textOf({ index, label, probability }: ReturnType<typeof classesOf>[number]): string {
  const name = label === undefined ? `class ${index}` : printable(label)
  return `${name} ${(100 * probability).toFixed(1)} %`
}
