/** `plumage job create` plans a list of images for any number of machines. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { given } from '../../../encoder/choose-recipe.js'
import type { PartDtype } from '../../../jobs/job.js'
import { SOURCE_KINDS } from '../../../jobs/sources/source.js'
import { assertFree, createJob } from '../../../platform/node/jobs/create-job.js'
import { withPlace } from '../../../platform/node/jobs/job-place.js'
import { modelOf } from '../../collection-option.js'
import type { CommandContext } from '../../context.js'
import { loadChosenEncoder } from '../../load-chosen-encoder.js'
import { addImageOptions, addModelOption, type ModelOptions, positiveInteger } from '../../model-options.js'
import { Progress } from '../../progress.js'
import { openSource, type SourceChoice } from './open-source.js'
import { jobPlace } from './place.js'

interface CreateCommandOptions extends ModelOptions, SourceChoice {
  readonly to: string
  readonly queue?: string
  readonly ignoreNoai?: boolean
  readonly unique?: boolean
  readonly rowsPerPart?: number
  readonly maxFailed?: number
  readonly dtype?: PartDtype
}

export function addCreate(parent: Command, context: CommandContext): void {
  const command = parent
    .command('create')
    .description('plan a list of images for any number of workers')
    .argument(
      '<source>',
      'a folder, s3://bucket/prefix, az://container/prefix, gs://bucket/prefix, a list, a table (.parquet, .csv, .jsonl, .lance) of addresses, an S3 inventory, shards (shard-{000..999}.tar), or a collection',
    )
    .requiredOption(
      '--to <place>',
      'where the job and its result are to lie: a folder that all workers see, s3://bucket/prefix, az://container/prefix or gs://bucket/prefix',
    )
    .addOption(
      new Option('--source-kind <kind>', 'what the source is, where that is not clear').choices(SOURCE_KINDS),
    )
    .option('--column <name>', 'the column of addresses, of a table')
    .option(
      '--contact <address>',
      'mail or page of whoever fetches, told to web servers; needed for http: and https:',
    )
    .option('--ignore-noai', 'fetch what a web server wants no machine to learn from')
    .option(
      '--queue <address>',
      'redis://host or postgres://user@host/database, for several workers: it is tried',
    )
    .option('--unique', 'plan images that lie in one place once')
    .option(
      '--rows-per-part <n>',
      'images of a part; default: two minutes of work, as measured here',
      positiveInteger,
    )
    .option(
      '--max-failed <share>',
      'share of failed images above which the job stops, as 0.01 or 1%; default: 1%',
      parseShare,
    )
    .addOption(
      new Option('--dtype <dtype>', 'how embeddings are kept; default: float16').choices([
        'float16',
        'float32',
      ]),
    )
  addImageOptions(addModelOption(command))
    .option('--json', 'what happens as JSON')
    .addHelpText(
      'after',
      '\nA job computes in float32, which every worker can, unless --precision names another.',
    )
    .action((source: string, options: CreateCommandOptions) => create(context, source, options))
}

/** Reads a share, for commander. */
export function parseShare(text: string): number {
  const share = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text)
  if (text.trim() !== '' && share >= 0 && share <= 1) return share
  throw new InvalidArgumentError(`Expected a share such as 0.01 or 1%; found ${text}.`)
}

async function create(context: CommandContext, source: string, options: CreateCommandOptions): Promise<void> {
  const { stdout, stderr, isTTY, color, signal } = context
  const { json = false, unique, rowsPerPart, maxFailed, dtype } = options
  const { contact, ignoreNoai: ignoresNoai, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses } = options
  // A fleet has machines of many kinds: what all of them compute is named, not left to the one that plans.
  const chosen = { ...options, precision: options.precision ?? ('float32' as const) }
  const to = jobPlace(context, options.to)
  // Models and sources may take minutes to open, and what is never written a web server two to be found.
  await withPlace(to, (storage) => assertFree(storage, signal))
  const label = options.queue === undefined ? undefined : await tryQueue(options.queue, signal)
  await using opened = await openSource(context, source, options)
  await using encoder = await loadChosenEncoder(context, chosen)
  using progress = new Progress({ stream: stderr, isTTY, color, json, total: undefined })
  if (rowsPerPart === undefined) progress.phase('measuring how fast images are embedded')
  const { job, plan } = await createJob(opened, {
    to,
    encoder,
    model: modelOf(chosen, encoder.identity),
    ...given({ unique, rowsPerPart, maxFailed, dtype }),
    fetching: given({ contact, ignoresNoai, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses }),
    ...given({ queue: label }),
    onProgress: (rows) => progress.phase(`${rows} images planned`),
    signal,
  })
  progress.clear()
  const { rows, parts, repeated } = plan
  if (json) {
    const told = { job: job.id, rows, parts, rowsPerPart: plan.rowsPerPart, repeated, to: options.to }
    stdout.write(
      `${JSON.stringify({ ...told, identity: job.identity.digest, precision: job.identity.precision })}\n`,
    )
    return
  }
  const passed = opened.leftOut()
  if (passed !== null) stderr.write(`${passed}\n`)
  const left = repeated > 0 ? ` (${repeated} more lie where others do)` : ''
  stdout.write(
    `${rows} images in ${parts} parts of up to ${plan.rowsPerPart}${left}, to be embedded by ${job.identity.model} in ${job.identity.precision}.\n` +
      `${options.queue === undefined ? 'Start the worker' : 'Start workers, on any machines'}: plumage worker ${options.to}${options.queue === undefined ? '' : ' --queue <its address>'}\n`,
  )
}

const TRIAL_MS = 5000

/** Finds out before all else whether it can be used. Gives its name for people. */
async function tryQueue(address: string, signal: AbortSignal): Promise<string> {
  const { openJobQueue } = await import('../../../platform/node/jobs/open-job-queue.js')
  // Workers wait for a server that starts again; whoever plans a job sits before it.
  await using queue = await openJobQueue(address, 'trial', { signal, unavailableMs: TRIAL_MS })
  return queue.label
}
