/** `plumage convert` writes a model as another library has it, or in another type or format. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { DTYPE_NAMES, type DtypeName } from '../../convert/dtypes.js'
import { WEIGHTS_FORMS, type WeightsForm } from '../../convert/file-forms.js'
import { LIBRARY_NAMES, type LibraryName } from '../../convert/writer.js'
import { given } from '../../encoder/choose-recipe.js'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import { nearestNames } from '../../nearest-names.js'
import type { ConvertedModel } from '../../platform/node/convert/convert-model.js'
import type { CommandContext } from '../context.js'
import { loadListeners } from '../load-chosen-encoder.js'
import { addTellingOptions, loadOptions, type ModelOptions } from '../model-options.js'
import { Progress } from '../progress.js'

interface ConvertCommandOptions extends ModelOptions {
  readonly to?: LibraryName
  readonly dtype?: DtypeName
  readonly int8?: boolean
  readonly format?: WeightsForm
  readonly maxShardSize?: number
}

export function convertCommand(context: CommandContext): Command {
  const command = new Command('convert')
    .description('write a model as another library has it, so that it loads there and gives the same numbers')
    .argument(
      '<model>',
      `${DEFAULT_MODEL.name} (in the package), the name of published weights, a path or an address`,
    )
    .argument(
      '<out>',
      'a folder, which is made, s3://bucket/prefix, az://container/prefix or gs://bucket/prefix; for birder and facebook also a file .safetensors, .pt or .pth, with --int8 .safetensors',
    )
    .option(
      '--to <library>',
      `whose layout is written: ${LIBRARY_NAMES.join(', ')}; with --int8 default: the one that it has`,
      parseLibrary,
    )
    .addOption(
      new Option('--dtype <type>', 'the type of all values; default: each as it is stored').choices(
        DTYPE_NAMES,
      ),
    )
    .option(
      '--int8',
      'write another network, with matrices in bytes, which only plumage reads; loads quickest',
    )
    .addOption(
      new Option(
        '--format <format>',
        'the format of the weights; default: as the name of the file ends, else pt for facebook and safetensors for all others',
      ).choices(WEIGHTS_FORMS),
    )
    .option('--max-shard-size <size>', 'longest file of weights for hugging-face (default: 5GB)', parseBytes)
    .option('--offline', 'never download')
  return addTellingOptions(command)
    .option('--json', 'one JSON object a line')
    .addHelpText('after', EXAMPLES)
    .action((model: string, out: string, options: ConvertCommandOptions) =>
      convert(context, model, out, options),
    )
}

const EXAMPLES = `
What a layout does not hold is refused by name, and nothing that is there is replaced.

Examples:
  plumage convert facebook/dinov2-small dinov2s.pth --to facebook
  plumage convert small small-for-timm --to timm
  plumage convert dinov2_vitl14_reg half --to hugging-face --dtype f16
  plumage convert dinov2_vitl14_reg large.int8.safetensors --int8
`

async function convert(
  context: CommandContext,
  model: string,
  out: string,
  options: ConvertCommandOptions,
): Promise<void> {
  const { stderr: stream, stdout, isTTY, color, signal } = context
  const { json = false, to, dtype, int8, format, maxShardSize: maxShardBytes, offline } = options
  using progress = new Progress({ stream, isTTY, color, json, total: undefined })
  const { network, entry, subfolder, heads, trainedSize, normalisation, ignoreFields } = loadOptions(
    { ...options, engine: 'auto', exif: true },
    signal,
  )
  const told = given({ network, entry, subfolder, heads, trainedSize, normalisation, ignoreFields })
  let lastShown = Number.NEGATIVE_INFINITY
  const converted = await context.convertModel(model, out, {
    ...told,
    ...given({ to, dtype, int8, format, maxShardBytes, offline }),
    signal,
    ...loadListeners(context, json, progress),
    onWriting(written, total) {
      if (performance.now() - lastShown < 100 && written < total) return
      lastShown = performance.now()
      progress.phase(`writing ${mebibytes(written)} of ${mebibytes(total)}`)
    },
  })
  for (const note of converted.notes) progress.notice(note)
  stdout.write(json ? `${JSON.stringify(converted)}\n` : inWords(converted, int8 ?? false))
}

function inWords({ path, byteLength, lossless, weights, files }: ConvertedModel, int8: boolean): string {
  const narrowed = int8
    ? 'Another network, which names its origin: matrices read back as the bytes nearest to their values, all else as it was'
    : 'Not lossless: each weight reads back as the nearest value of its new type'
  const kept = lossless ? 'Lossless: every weight reads back bit by bit as it was' : narrowed
  return `${path}\n${mebibytes(byteLength)} of weights in ${files.length} ${files.length === 1 ? 'file' : 'files'}. ${kept}; their digest is ${weights.slice(0, 16)}.\n`
}

function parseLibrary(text: string): LibraryName {
  const found = LIBRARY_NAMES.find((name) => name === text)
  if (found !== undefined) return found
  throw new InvalidArgumentError(
    `Layouts of ${LIBRARY_NAMES.join(', ')} are written. Did you mean ${nearestNames(text, LIBRARY_NAMES, 1).join()}?`,
  )
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['KIB', 2 ** 10],
  ['MIB', 2 ** 20],
  ['GIB', 2 ** 30],
])

/** Reads sizes as transformers does: 5GB are 5 * 10^9 bytes. */
function parseBytes(text: string): number {
  const [, number, unit = 'B'] = /^(\d+(?:\.\d+)?)\s*([KMG]?i?B)?$/i.exec(text) ?? []
  const bytes = Math.floor(Number(number) * (UNITS.get(unit.toUpperCase()) ?? Number.NaN))
  if (bytes >= 1) return bytes
  throw new InvalidArgumentError(`Expected a size such as 5GB, 500MB or 2GiB; found ${text}.`)
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
