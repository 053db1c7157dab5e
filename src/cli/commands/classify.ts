/** `plumage classify` names what a model's own classifier sees in each image, the likeliest classes first. */
import { Command, Option } from 'commander'
import { given } from '../../encoder/choose-recipe.js'
import { csvField } from '../../formats/csv.js'
import { jsonText } from '../../formats/json-text.js'
import type { ClassScore } from '../../numerics/top-classes.js'
import type { FileEncoder } from '../../work/file-encoder.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { addInputs, gatherOrStream, type InputOptions } from '../gather-inputs.js'
import { loadChosenEncoder } from '../load-chosen-encoder.js'
import { addImageOptions, addModelOption, type ModelOptions, positiveInteger } from '../model-options.js'
import { Progress, printable } from '../progress.js'
import { listenerOf, terminal } from '../run-resumably.js'

const FORMATS = ['text', 'jsonl', 'csv'] as const
type ClassifyFormat = (typeof FORMATS)[number]

interface ClassifyOptions extends ModelOptions, Omit<InputOptions, 'json'> {
  readonly top: number
  readonly format?: ClassifyFormat
  readonly batch?: number
  readonly tta?: boolean
}

/** Is one of an image's classes by name. */
interface NamedClass extends ClassScore {
  /** Is absent where no file of the model names its classes. */
  readonly label?: string
}

export function classifyCommand(context: CommandContext): Command {
  const command = addInputs(
    new Command('classify').description("name what a model's own classifier sees in each image"),
  )
  addImageOptions(addModelOption(command))
    .option('-k, --top <n>', 'so many classes of each image', positiveInteger, 5)
    .addOption(
      new Option('--format <format>', 'default: text on a terminal, jsonl elsewhere').choices(FORMATS),
    )
    .option('--batch <n>', 'images per run of the engine', positiveInteger)
    .option('--tta', "take the mean over five crops of each image, as Birder's test-time augmentation does")
    .option('--json', 'progress as JSON lines on stderr')
  return command.action((inputs: string[], options: ClassifyOptions) => classify(context, inputs, options))
}

async function classify(
  context: CommandContext,
  names: readonly string[],
  options: ClassifyOptions,
): Promise<void> {
  const { StreamOutput } = await import('../../platform/node/files/stream-output.js')
  const { InputLoop } = await import('../../work/encode-inputs.js')
  const { topClasses } = await import('../../numerics/top-classes.js')
  const inputs = await gatherOrStream(context, names, options)
  await using output = StreamOutput.stdout(context)
  const format = options.format ?? (output.isTerminal ? 'text' : 'jsonl')
  using encoder = await loadChosenEncoder(context, options)
  using progress = new Progress({
    ...terminal(context),
    json: options.json ?? false,
    total: Array.isArray(inputs) ? inputs.length : undefined,
  })
  const { batch, tta } = options
  const loop = new InputLoop(
    {
      inputs,
      files: context.files,
      encoder,
      encode: given({ batch, tta }),
      listener: listenerOf(progress),
      signal: context.signal,
    },
    { has: () => false },
  )
  try {
    if (format === 'csv') await output.write('path,rank,index,label,probability\n')
    for await (const { input, features } of loop.found()) {
      const { logits } = features
      if (logits === undefined) throw noClassifier(options.model)
      await output.write(WRITERS[format](input.path, named(topClasses(logits, options.top), encoder)))
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

/** A list on stdin may still be growing: its images are done as they come. */
function noClassifier(model: string): UsageError {
  return new UsageError(
    `The model ${model} has no classifier: it makes embeddings (plumage embed). Take one whose name ends in classes that it was trained on, such as vit_small_patch16_224.augreg_in21k_ft_in1k.`,
  )
}

function named(found: readonly ClassScore[], { labels }: FileEncoder): readonly NamedClass[] {
  return found.map((one) => {
    const label = labels?.[one.index]
    return label === undefined ? one : { ...one, label }
  })
}

const WRITERS: Readonly<Record<ClassifyFormat, (path: string, classes: readonly NamedClass[]) => string>> = {
  text: (path, classes) => `${printable(path)}  ${classes.map(textOf).join(', ')}\n`,
  jsonl: (path, classes) => `${jsonText({ path, classes })}\n`,
  csv: (path, classes) =>
    classes
      .map(({ index, label = '', probability }, rank) =>
        [csvField(path), rank + 1, index, csvField(label), probability.toPrecision(7)].join(','),
      )
      .map((line) => `${line}\n`)
      .join(''),
}

function textOf({ index, label, probability }: NamedClass): string {
  const name = label === undefined ? `class ${index}` : printable(label)
  return `${name} ${(100 * probability).toFixed(1)} %`
}
