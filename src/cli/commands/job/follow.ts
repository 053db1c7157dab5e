/** `plumage job list|status|watch|pause|resume|cancel|retry|prove` look after jobs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { given } from '../../../encoder/choose-recipe.js'
import { isAddress } from '../../../is-address.js'
import { failedCount, type JobProgress } from '../../../jobs/job-status.js'
import {
  cancelJob,
  jobStatus,
  pauseJob,
  proveJob,
  resumeJob,
  retryJob,
} from '../../../platform/node/jobs/follow-job.js'
import { listJobs } from '../../../platform/node/jobs/list-jobs.js'
import { meantBeside } from '../../../work/meant-beside.js'
import { IncompleteError, UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { duration, Progress, printable } from '../../progress.js'
import { parseShare } from './create.js'
import { jobPlace } from './place.js'

interface Printing {
  readonly json?: boolean
}

const PLACE = 'where the job lies'
const WATCH_MS = 5000

export function addFollowing(parent: Command, context: CommandContext): void {
  const add = (name: string, description: string) =>
    parent.command(name).description(description).argument('<place>', PLACE)
  parent
    .command('list')
    .description('list the jobs that lie in a folder or below a prefix')
    .argument('<place>', 'the folder, s3://bucket/prefix, az://container/prefix or gs://bucket/prefix')
    .option('--json', 'as JSON lines')
    .action((place: string, options: Printing) => list(context, place, options))
  add('status', 'say how far a job is')
    .option('--json', 'as JSON')
    .action(async (place: string, { json = false }: Printing) => {
      const { signal, stdout } = context
      const progress = await jobStatus(jobPlace(context, place), { signal })
      stdout.write(json ? `${JSON.stringify(plainStatus(progress))}\n` : statusText(progress))
    })
  add('watch', 'say how far a job is, until it ends')
    .option('--json', 'as JSON lines')
    .action((place: string, options: Printing) => watch(context, place, options))
  add('pause', 'let workers end their parts and take no others').action((place: string) =>
    tell(context, place, 'paused: workers end the parts that they have', pauseJob),
  )
  add('cancel', 'end all workers after the parts that they have; what is there stays').action(
    (place: string) =>
      tell(context, place, 'cancelled: what is there stays, and plumage job resume goes on', cancelJob),
  )
  add('resume', 'let a job go on that was paused, cancelled or stopped, in any queue')
    .option('--max-failed <share>', 'share of failed images above which it stops, from now on', parseShare)
    .action((place: string, { maxFailed }: { maxFailed?: number }) =>
      tell(context, place, 'goes on', (where, options) =>
        resumeJob(where, { ...options, ...given({ maxFailed }) }),
      ),
    )
  add('retry', 'plan failed images anew: workers then do them alone')
    .option('--reason <codes>', 'those that failed with these codes, with commas between', parseList)
    .option('--all', 'all that failed; default: those whose failure may pass by itself')
    .action((place: string, options: { reason?: readonly string[]; all?: boolean }) =>
      retry(context, place, options),
    )
  add('prove', 'prove that each image is in the result exactly once; ends with 1 where it is not')
    .option('--deep', 'read all rows, and do not believe what parts say of themselves')
    .option('--json', 'as JSON')
    .action((place: string, options: Printing & { deep?: boolean }) => prove(context, place, options))
}

function parseList(text: string): readonly string[] {
  const names = text.split(',').filter((name) => name !== '')
  if (names.length > 0) return names
  throw new InvalidArgumentError('Expected codes such as timeout,not-found.')
}

async function list(context: CommandContext, place: string, { json = false }: Printing): Promise<void> {
  const { signal, stdout, files } = context
  if (!isAddress(place) && (await files.look(place))?.kind !== 'folder')
    throw new UsageError(
      `There is no folder ${place}.${await meantBeside(files, place, ({ kind }) => kind === 'folder')}`,
    )
  let count = 0
  for await (const { key, progress } of listJobs(jobPlace(context, place), { signal })) {
    count++
    const name = key === '' ? place : `${place.replace(/\/$/, '')}/${key}`
    stdout.write(
      json
        ? `${JSON.stringify({ place: name, ...plainStatus(progress) })}\n`
        : `${printable(name)}  ${lineOf(progress)}\n`,
    )
  }
  if (count === 0 && !json) stdout.write(`There are no jobs in ${place}.\n`)
}

async function watch(context: CommandContext, place: string, { json = false }: Printing): Promise<void> {
  const { signal, stdout, stderr, isTTY, color } = context
  using shown = new Progress({ stream: stderr, isTTY, color, json: false, total: undefined })
  for (;;) {
    const progress = await jobStatus(jobPlace(context, place), { signal })
    if (json) stdout.write(`${JSON.stringify(plainStatus(progress))}\n`)
    else if (isTTY) shown.phase(lineOf(progress))
    else stdout.write(`${lineOf(progress)}\n`)
    if (progress.status !== 'running' && progress.status !== 'paused' && progress.status !== 'planning') {
      shown.clear()
      if (!json) stdout.write(statusText(progress))
      if (progress.status !== 'done' || failedCount(progress) > 0)
        throw new IncompleteError(`The job is ${progress.status}${failedText(progress)}.`)
      return
    }
    await sleep(WATCH_MS, undefined, { signal })
  }
}

async function tell(
  context: CommandContext,
  place: string,
  what: string,
  act: (place: string, options: { readonly signal: AbortSignal }) => Promise<void>,
): Promise<void> {
  await act(jobPlace(context, place), { signal: context.signal })
  context.stdout.write(`${place} ${what}.\n`)
}

async function retry(
  context: CommandContext,
  place: string,
  { reason, all }: { readonly reason?: readonly string[]; readonly all?: boolean },
): Promise<void> {
  const { signal, stdout } = context
  const choice = given({ reasons: reason, all })
  const { round, rows, parts } = await retryJob(jobPlace(context, place), { ...choice, signal })
  stdout.write(
    `${rows} failed images are planned anew in ${parts} parts, as round ${round}. Start workers: plumage worker ${place}\n`,
  )
}

async function prove(
  context: CommandContext,
  place: string,
  { deep = false, json = false }: Printing & { readonly deep?: boolean },
): Promise<void> {
  const { signal, stdout, stderr, isTTY, color } = context
  using shown = new Progress({ stream: stderr, isTTY, color, json, total: undefined })
  let told = 0
  const proof = await proveJob(jobPlace(context, place), {
    deep,
    signal,
    onProgress: (parts, of) => shown.phase(`${parts} of ${of} parts looked at`),
    onProblem: (problem) => {
      if (told++ < MOST_TOLD) shown.notice(problem)
    },
  })
  shown.clear()
  const { proven, rows, found, parts, problems } = proof
  if (json) stdout.write(`${JSON.stringify(proof)}\n`)
  else if (proven)
    stdout.write(
      `Proven: each of the ${rows} rows is in the ${parts} parts exactly once${countsText(proof.failed)}.\n`,
    )
  if (!proven)
    throw new IncompleteError(
      `Not proven: ${found} of ${rows} rows are where they must be, and ${problems} parts are missing or not as they must be.`,
    )
}

const MOST_TOLD = 20

/** Gives `; 3 failed (2 timeout, 1 not-found)`, or nothing. */
export function countsText(failed: Readonly<Record<string, number>>): string {
  const counts = Object.entries(failed).sort(([, a], [, b]) => b - a)
  const sum = counts.reduce((all, [, count]) => all + count, 0)
  return sum === 0 ? '' : `; ${sum} failed (${counts.map(([code, count]) => `${count} ${code}`).join(', ')})`
}

function failedText(progress: JobProgress): string {
  return countsText(progress.allFailed)
}

function lineOf(progress: JobProgress): string {
  const { status, rows, rowsDone, rowsPerSecond, secondsLeft, workers, round } = progress
  const share = rows === 0 ? '' : `, ${((100 * rowsDone) / rows).toFixed(1)} %`
  const retry = round === 0 ? '' : ` of retry ${round}`
  const speed = rowsPerSecond > 0 ? `, ${Number(rowsPerSecond.toPrecision(3))} images/s` : ''
  const left = secondsLeft !== null && secondsLeft > 0 ? `, ${duration(secondsLeft)} left` : ''
  return `${status}: ${rowsDone} of ${rows} images${retry}${share}, ${workers.length} workers${speed}${left}${failedText(progress)}`
}

function statusText(progress: JobProgress): string {
  const { job, reason, parts, partsDone } = progress
  return [
    `job ${job.id} of ${printable(job.source)}, made ${job.created}`,
    `model ${printable(job.identity.model)}, ${job.identity.precision}, identity ${job.identity.digest.slice(0, 12)}`,
    lineOf(progress),
    `${partsDone} of ${parts} parts are committed`,
    ...(reason === null ? [] : [printable(reason)]),
    '',
  ].join('\n')
}

function plainStatus({ job, ...progress }: JobProgress): object {
  const { identity, ...about } = job
  return { ...about, identity: identity.digest, precision: identity.precision, ...progress }
}
