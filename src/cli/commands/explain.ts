/** `plumage explain` says how a vector was made that another program computed of a photo. */
import { Command } from 'commander'
import type { Explanation } from '../../verify/explain/explain-vector.js'
import { UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { loadListeners } from '../load-chosen-encoder.js'
import {
  addEngineOptions,
  addFetchOptions,
  addModelOption,
  loadOptions,
  type ModelOptions,
  positiveInteger,
} from '../model-options.js'
import { photoPlace } from '../photo-place.js'
import { Progress } from '../progress.js'
import { readVectorFile } from '../read-vector-file.js'

interface ExplainCommandOptions extends ModelOptions {
  readonly vector: string
  readonly maxRuns?: number
}

export function explainCommand(context: CommandContext): Command {
  const command = new Command('explain')
    .description('say which settings made a vector that another program computed of a photo')
    .argument('<photo>', 'the photo that the vector is of: a path or an address')
    .requiredOption(
      '--vector <file>',
      'the vector, at a path or an address: .npy, a JSON list, or numbers as text',
    )
  return addFetchOptions(addEngineOptions(addModelOption(command)))
    .option('--max-runs <n>', 'so often the network is run at most (default: 400)', positiveInteger)
    .option('--json', 'the answer as JSON')
    .action((photo: string, options: ExplainCommandOptions) => explain(context, photo, options))
}

async function explain(
  context: CommandContext,
  photo: string,
  options: ExplainCommandOptions,
): Promise<void> {
  const vector = await readVectorFile(context.files, options.vector)
  const { stderr: stream, isTTY, color, signal } = context
  const json = options.json ?? false
  using progress = new Progress({ stream, isTTY, color, json, total: undefined })
  const { maxRuns } = options
  const load = { ...loadOptions(options, signal), ...loadListeners(context, json, progress) }
  const found = await context
    .explainVector(photoPlace(context.files, photo), vector, {
      model: options.model,
      load,
      signal,
      ...(maxRuns === undefined ? {} : { maxRuns }),
      onProgress: (runs, cosine) =>
        progress.phase(`${runs} ways tried, the nearest has a cosine of ${cosine.toFixed(6)}`),
    })
    .catch((error) => {
      throw error instanceof RangeError ? new UsageError(error.message) : error
    })
  context.stdout.write(json ? `${JSON.stringify(found)}\n` : textOf(found, options.model))
}

const VERDICTS: Readonly<Record<Explanation['verdict'], string>> = {
  same: 'These settings give the very numbers, up to rounding.',
  nearly:
    'These settings come near: what is left may be another JPEG decoder, another resize, or a narrower precision (half floats, int8).',
  different:
    'Nothing that is known here gives this vector: it may be of another model, of other weights, or of another photo. This is what comes nearest.',
}

function textOf(
  { verdict, cosine, reading, isUnitLength, changes, ownCosine, runs }: Explanation,
  model: string,
): string {
  const lines = [
    VERDICTS[verdict],
    '',
    `vector       ${reading}${isUnitLength ? ', scaled to length 1' : ''}`,
    ...changes.map(({ of, what }) => `${of.padEnd(13)}${what}`),
    ...(changes.length === 0 ? ['settings     all as here'] : []),
    `cosine       ${cosine.toFixed(9)}${ownCosine === null ? '' : ` (what plumage embed gives with ${model}: ${ownCosine.toFixed(6)})`}`,
    `tried        ${runs} ways`,
  ]
  return `${lines.join('\n')}\n`
}
