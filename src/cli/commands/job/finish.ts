/** `plumage job finish` makes collections of a job's result, and `plumage job export` one file. */
import { basename } from 'node:path'
import type { Command } from 'commander'
import { enoughCollections, type NearFigures } from '../../../collection/set/nearness.js'
import { given } from '../../../encoder/choose-recipe.js'
import { exportJob, type FinishedCollections, finishJob } from '../../../platform/node/jobs/finish-job.js'
import { IncompleteError, UsageError } from '../../cli-error.js'
import { collectionPlace } from '../../collection-option.js'
import type { CommandContext } from '../../context.js'
import { positiveInteger } from '../../model-options.js'
import { Progress } from '../../progress.js'
import { countsText } from './follow.js'
import { jobPlace } from './place.js'

interface FinishCommandOptions {
  readonly into: string
  readonly rowsPerCollection?: number
  readonly json?: boolean
}

export function addFinish(parent: Command, context: CommandContext): void {
  parent
    .command('finish')
    .description(
      'prove a job, and make collections of it that are searched together; run it again to go on, and after a retry',
    )
    .argument('<place>', 'where the job lies')
    .requiredOption(
      '-o, --into <folder>',
      'where collections are made, shard-00000.plumage and so on: a folder, s3://bucket/prefix or az://container/prefix',
    )
    .option('--rows-per-collection <n>', 'images of a collection; default: 20 million', positiveInteger)
    .option('--json', 'what happens as JSON')
    .action((place: string, options: FinishCommandOptions) => finish(context, place, options))
  parent
    .command('export')
    .description('write the whole result of a job into one Parquet file')
    .argument('<place>', 'where the job lies')
    .requiredOption(
      '-o, --output <file>',
      'the file, or an object in a bucket (s3:, az:, gs:): it ends in .parquet',
    )
    .action(async (place: string, { output }: { readonly output: string }) => {
      const { files, signal, stdout, stderr, isTTY, color } = context
      if (!/\.parquet$/i.test(output))
        throw new UsageError(
          `A result is written as Parquet: name a file ending in .parquet, such as --output all.parquet; got ${output}. Other formats are written of collections: plumage job finish, and plumage collection export.`,
        )
      using progress = new Progress({ stream: stderr, isTTY, color, json: false, total: undefined })
      const rows = await exportJob(jobPlace(context, place), files.resolve(output), {
        signal,
        onProgress: (count) => progress.phase(`${count} images written`),
      })
      progress.clear()
      stdout.write(`${rows} images are in ${output}.\n`)
    })
}

function finishedText(into: string, { rows, folders, proof, replaced, near }: FinishedCollections): string {
  const [first = '', ...others] = folders
  const where = others.length === 0 ? first : `${first} to ${basename(others.at(-1) ?? '')}`
  const again = replaced === 0 ? '' : ` ${replaced} that were tried again took the place of what was there.`
  const lines = [
    `${rows} images, each exactly once, are in ${where}${countsText(proof.failed)}.${again}`,
    ...(near === null ? [] : [nearLine(near)]),
    `Search them: plumage search photo.jpg --in ${into}`,
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function nearLine(near: NearFigures): string {
  const enough = enoughCollections(near)
  const all = near.recall.length
  if (enough === all)
    return `Asking only collections whose centroids are near (--near) would miss too much: ${all} of ${all} are needed for 0.95 of the ten nearest of ${near.photos} photos.`
  const share = Math.floor((near.recall[enough - 1] ?? 1) * 1000) / 1000
  return `Asking the ${enough} of ${all} collections whose centroids are near (--near) finds ${share.toFixed(3)} of the ten nearest of ${near.photos} photos.`
}

async function finish(
  context: CommandContext,
  place: string,
  { into, rowsPerCollection, json = false }: FinishCommandOptions,
): Promise<void> {
  const { files, signal, stdout, stderr, isTTY, color } = context
  using progress = new Progress({ stream: stderr, isTTY, color, json, total: undefined })
  const finished = await finishJob(jobPlace(context, place), collectionPlace(files, into), {
    ...given({ rowsPerCollection }),
    signal,
    onProgress: (count, of) => progress.phase(`${count} of ${of} images are in collections`),
    onMeasure: (count, of) => progress.phase(`${count} of ${of} collections are measured`),
  })
  progress.clear()
  const { folders, rows, proof, replaced, near } = finished
  const { failed } = proof
  if (json) stdout.write(`${JSON.stringify({ rows, failed, replaced, collections: folders, near })}\n`)
  else stdout.write(finishedText(into, finished))
  if (Object.keys(failed).length > 0)
    throw new IncompleteError(
      `Some images have no embedding${countsText(failed)}: plumage job retry plans anew those that may pass by themselves, with --all every one.`,
    )
}
