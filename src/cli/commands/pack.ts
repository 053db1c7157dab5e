/** `plumage pack` puts a model's weights into a file as this processor's kernels read them; `--list` and `--remove` look after such files. */
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import type { LoadOptions } from '../../encoder/load-options.js'
import type { InstructionSet } from '../../engine/native/addon.js'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import { INSTRUCTION_SET_CHOICES } from '../../platform/node/engine-choices.js'
import type { ListedPacked } from '../../platform/node/packed/packed-list.js'
import { UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { loadListeners } from '../load-chosen-encoder.js'
import { addToldOptions, loadOptions, type ModelOptions, precisionOption } from '../model-options.js'
import { Progress } from '../progress.js'

interface PackOptions extends ModelOptions {
  readonly instructionSet?: InstructionSet
  readonly list?: boolean
  readonly remove?: boolean
}

export function packCommand(context: CommandContext): Command {
  const command = new Command('pack')
    .description('put weights into a file as this processor reads them, from which every later load starts')
    .argument(
      '[model]',
      `${DEFAULT_MODEL.name} (in the package), the name of published weights, a path or an address`,
    )
    .option('--offline', 'never download')
    .addOption(precisionOption())
    .addOption(
      new Option('--instruction-set <set>', 'what it is for; default: the fastest here').choices(
        INSTRUCTION_SET_CHOICES,
      ),
    )
  return addToldOptions(command)
    .option('--list', 'list the files of packed weights instead')
    .option('--remove', 'take files of packed weights away instead: those of the model, or all')
    .option('--json', 'one JSON object a line')
    .action((model: string | undefined, options: PackOptions) => pack(context, model, options))
}

async function pack(context: CommandContext, model: string | undefined, options: PackOptions): Promise<void> {
  if (options.list === true && options.remove === true)
    throw new UsageError('--list and --remove are two things: ask for one of them.')
  if (options.list === true || options.remove === true) return await look(context, model, options)
  const { stderr: stream, stdout, isTTY, color } = context
  const json = options.json ?? false
  using progress = new Progress({ stream, isTTY, color, json, total: undefined })
  const { instructionSet } = options
  const all: LoadOptions = {
    ...loadOptions({ ...options, engine: 'native', exif: true }, context.signal),
    ...(instructionSet === undefined ? {} : { instructionSet }),
    ...loadListeners(context, json, progress),
  }
  const packed = await context.packModel(model ?? DEFAULT_MODEL.name, all)
  stdout.write(
    json
      ? `${JSON.stringify(packed)}\n`
      : `${packed.path}\n${mebibytes(packed.byteLength)} of weights for ${packed.instructionSet} in ${packed.precision}; ` +
          'every load that is alike finds them by itself.\n',
  )
}

/** Lists files, and takes them away where that is asked for. */
async function look(
  { packedFiles, stdout, cwd }: CommandContext,
  model: string | undefined,
  { json, remove }: PackOptions,
): Promise<void> {
  const files = (await packedFiles.list()).filter((file) => model === undefined || isOf(file, model, cwd))
  if (remove === true) await packedFiles.remove(files)
  const done = remove === true ? 'removed ' : ''
  for (const file of files) stdout.write(json ? `${JSON.stringify(file)}\n` : `${done}${lineOf(file)}\n`)
  if (files.length === 0 && json !== true) stdout.write('There are no packed weights.\n')
}

/** A model is named here by its file, or by whole parts of its path: no weights are looked for. */
function isOf({ content }: ListedPacked, model: string, cwd: string): boolean {
  if (typeof content === 'string') return false
  const isNamed = [model, resolve(cwd, model)].some((text) => `/${content.path}/`.includes(`/${text}/`))
  return isNamed || content.model === model
}

function lineOf({ path, fileBytes, content }: ListedPacked): string {
  const what =
    typeof content === 'string'
      ? content
      : `${content.model}, ${content.precision} for ${content.instructionSet}, of ${content.path}`
  return `${path} (${mebibytes(fileBytes)}): ${what}`
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
