/** Writes what a worker does as JSON lines, each with its job, worker and part, as collectors of logs read them. */
import type { DestinationStream } from 'pino'
import type { WorkerEvent } from '../../../../jobs/events.js'
import type { LogLevel } from './log-levels.js'
import type { WorkerLabels } from './worker-metrics.js'

export interface WorkerLogOptions {
  /** Leaves out what matters less; default `info`. */
  readonly level?: LogLevel
  /** Takes the lines. */
  readonly stream: DestinationStream
}

/** Rows that are done are no lines: there are millions, and the figures count them. */
export async function createWorkerLog(
  labels: WorkerLabels,
  { level = 'info', stream }: WorkerLogOptions,
): Promise<(event: WorkerEvent) => void> {
  const { pino } = await import('pino')
  const log = pino(
    {
      level,
      base: labels,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  )
  return (event) => {
    if (event.kind === 'rowDone') return
    const { kind, ...facts } = event
    const { task, ...others } = 'task' in facts ? facts : { ...facts, task: undefined }
    const where = task === undefined ? {} : { round: task.round, part: task.part, pass: task.pass }
    log[levelOf(event)]({ event: kind, ...where, ...others }, messageOf(event))
  }
}

function levelOf(event: WorkerEvent): 'debug' | 'info' | 'warn' | 'error' {
  switch (event.kind) {
    case 'rowKilled':
      return 'error'
    case 'trouble':
    case 'claimLost':
    case 'carefulRange':
      return 'warn'
    case 'partGivenBack':
      return event.why === 'stopping' ? 'info' : 'warn'
    case 'rowFailed':
    case 'waiting':
      return 'debug'
    default:
      return 'info'
  }
}

function messageOf(event: Exclude<WorkerEvent, { kind: 'rowDone' }>): string {
  switch (event.kind) {
    case 'partTaken':
      return event.deaths === 0 ? 'took a part' : `took a part that ${event.deaths} workers never finished`
    case 'partCommitted':
      return 'committed a part'
    case 'partDropped':
      return 'another worker committed it first'
    case 'partGivenBack':
      return `gave a part back: ${event.reason}`
    case 'claimLost':
      return `the queue took the part from this worker: ${event.reason}`
    case 'rowFailed':
      return `a row failed: ${event.reason}`
    case 'carefulRange':
      return 'does a part that killed workers range by range'
    case 'rowKilled':
      return 'a row has killed workers; it counts as failed'
    case 'refilled':
      return 'put parts into the queue'
    case 'waiting':
      return `waits: ${event.reason}`
    case 'trouble':
      return `tries again: ${event.reason}`
  }
}
