/** `plumage worker` works on a job until it is done, or until it is told to stop. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { given } from '../../encoder/choose-recipe.js'
import type { EngineChoiceName } from '../../encoder/load-options.js'
import type { WorkerEvent } from '../../jobs/events.js'
import { readJob } from '../../jobs/job.js'
import type { JobQueue } from '../../jobs/queue.js'
import { assertComputes } from '../../jobs/worker.js'
import { ENGINE_CHOICES } from '../../platform/node/engine-choices.js'
import { jobStatus } from '../../platform/node/jobs/follow-job.js'
import { withPlace } from '../../platform/node/jobs/job-place.js'
import { LOG_LEVELS, type LogLevel } from '../../platform/node/jobs/operations/log-levels.js'
import { observeWorker } from '../../platform/node/jobs/operations/observe-worker.js'
import { newWorkerName, runWorker } from '../../platform/node/jobs/run-worker.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import { loadEncoderAs } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import { positiveInteger } from '../model-options.js'
import { duration, Progress } from '../progress.js'
import { countsText } from './job/follow.js'
import { assertJob, jobPlace } from './job/place.js'

interface WorkerCommandOptions {
  readonly model?: string
  readonly engine?: EngineChoiceName
  readonly threads?: number
  readonly offline?: boolean
  readonly name?: string
  readonly queue?: string
  readonly json?: boolean
  readonly log?: LogLevel
  readonly metrics?: { readonly host: string; readonly port: number }
}

export function workerCommand(context: CommandContext): Command {
  return new Command('worker')
    .argument('<place>', 'where the job lies')
    .option(
      '--queue <address>',
      'redis://host or postgres://user@host/database: with it, any number of workers share the job',
    )
    .option('-m, --model <path>', "where the job's model lies on this machine, if it is elsewhere here")
    .addOption(new Option('--engine <engine>', 'what computes').choices(ENGINE_CHOICES))
    .option('--threads <n>', 'threads of the engine', positiveInteger)
    .option('--offline', 'never download')
    .option('--name <name>', 'what the worker is called in what it writes')
    .option('--json', 'what happens as JSON lines on stderr')
    .addOption(
      new Option(
        '--log <level>',
        'in place of progress, lines for collectors of logs on stderr, JSON with job, worker and part',
      ).choices(LOG_LEVELS),
    )
    .option(
      '--metrics <[host:]port>',
      'answer there for /metrics (Prometheus), /livez and /readyz; the host is 127.0.0.1 unless it is named',
      listenAddress,
    )
    .action((place: string, options: WorkerCommandOptions) => work(context, place, options))
}

async function work(context: CommandContext, place: string, options: WorkerCommandOptions): Promise<void> {
  const { stdout, stderr, isTTY, color, signal } = context
  const { json = false, name = newWorkerName(), model, log, metrics } = options
  if (json && log !== undefined)
    throw new UsageError('--json and --log both write lines on stderr: choose one of them.')
  await assertJob(context, place)
  const where = jobPlace(context, place)
  const job = await withPlace(where, (storage) => readJob(storage, { signal }))
  const source = model ?? job.model.source
  await using encoder = await loadEncoderAs(context, { ...job.model, source }, options, (loaded) =>
    assertComputes(job, loaded),
  )
  using progress = new Progress({ stream: stderr, isTTY, color, json, total: undefined })
  const show = json ? lineOf(stderr) : sayTo(progress)
  if (options.queue === undefined && job.queue !== null)
    throw new UsageError(`The job was made for a queue: name it by --queue (${job.queue}), or another one.`)
  await using queue = options.queue === undefined ? null : await openQueue(options.queue, job.id, signal)
  await using observer = await observeWorker(
    { job: job.id, worker: name },
    {
      ...given({ listen: metrics }),
      ...(log === undefined ? {} : { log: { level: log, stream: stderr } }),
    },
  )
  if (observer.address !== null)
    progress.say(`Figures and health are at ${observer.address}/metrics, /livez and /readyz.`)
  const outcome = await runWorker(where, {
    encoder,
    ...(queue === null ? {} : { queue }),
    name,
    signal,
    onEvent: (event) => {
      observer.onEvent(event)
      if (log === undefined) show(event)
    },
  })
  progress.clear()
  const { ended, reason, parts, rows, failed, dropped, givenBack } = outcome
  if (json) stderr.write(`${JSON.stringify({ event: 'finished', ...outcome })}\n`)
  else
    stdout.write(
      `${parts === 0 && ended === 'done' ? 'All parts were there already. ' : ''}${rows} images in ${parts} parts are committed by this worker${countsText(failed)}${dropped > 0 ? `; ${dropped} parts were another's already` : ''}${givenBack > 0 ? `; ${givenBack} were given back` : ''}.\n`,
    )
  if (ended === 'told-to-stop')
    throw new InterruptedError(
      `Stopped; what is committed stays. Run it again to go on: plumage worker ${place}`,
    )
  if (ended !== 'done')
    throw new IncompleteError(`The job is ${ended}${reason === null ? '' : `: ${reason}`}`)
  const { allFailed } = await jobStatus(where, { signal })
  if (Object.keys(allFailed).length > 0)
    throw new IncompleteError(
      `All parts are there, with failures${countsText(allFailed)}: plumage job retry plans anew those that may pass by themselves, with --all every one.`,
    )
}

/** Nothing listens beyond this machine unless its host is named. */
function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const [, host = '127.0.0.1', port = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  if (port !== '' && Number(port) <= 65_535)
    return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
  throw new InvalidArgumentError(
    `Expected a port, or host:port, such as 9464 or 0.0.0.0:9464; found ${text}.`,
  )
}

async function openQueue(address: string, job: string, signal: AbortSignal): Promise<JobQueue> {
  const { openJobQueue } = await import('../../platform/node/jobs/open-job-queue.js')
  return await openJobQueue(address, job, { signal })
}

/** A program gets all but single rows. */
function lineOf(stderr: CommandContext['stderr']): (event: WorkerEvent) => void {
  return (event) => {
    if (event.kind === 'rowDone') return
    const { kind, ...told } = event
    stderr.write(`${JSON.stringify({ event: kind, time: new Date().toISOString(), ...told })}\n`)
  }
}

/** A log has a line for each part, a terminal a line that is redrawn. That there is nothing to do happens every few seconds, and is said once. */
function sayTo(progress: Progress): (event: WorkerEvent) => void {
  let waitsFor = ''
  return (event) => {
    if (event.kind === 'rowDone') return progress.done()
    const isSaid = event.kind === 'waiting' && event.reason === waitsFor
    waitsFor = event.kind === 'waiting' ? event.reason : ''
    const words = isSaid ? null : wordsOf(event)
    if (words !== null) progress.say(words)
  }
}

function wordsOf(event: Exclude<WorkerEvent, { readonly kind: 'rowDone' }>): string | null {
  const part =
    'task' in event
      ? `part ${event.task.part}${event.task.round > 0 ? ` of retry ${event.task.round}` : ''}`
      : ''
  switch (event.kind) {
    case 'partCommitted':
      return `${part} is committed: ${event.rows} images in ${duration(Math.round(event.seconds))}${countsText(event.failed)}`
    case 'partDropped':
      return `${part} was committed by another worker`
    case 'partGivenBack':
      return `${part} is given back (${event.why}): ${event.reason}`
    case 'claimLost':
      return `${part} goes to another worker: ${event.reason}`
    case 'carefulRange':
      return `${part} has killed workers: its images ${event.from} to ${event.to} are tried by themselves`
    case 'rowKilled':
      return `${part}: its image ${event.row} kills workers, and is failed`
    case 'waiting':
      return `nothing to do for now: ${event.reason}`
    case 'trouble':
      return `${event.reason} It is tried again in ${Math.round(event.retryMs / 1000)} s.`
    default:
      return null
  }
}
