/** Counts what a worker does, in the text that Prometheus and its kin read. */
import type { Registry } from 'prom-client'
import type { WorkerEvent } from '../../../../jobs/events.js'

/** Says what all of a worker's figures carry. */
export interface WorkerLabels {
  /** Is the job's id. */
  readonly job: string
  /** Names the worker. */
  readonly worker: string
}

export interface WorkerMetrics {
  /** Takes down an event. */
  count(event: WorkerEvent): void
  readonly contentType: string
  /** Gives the figures as they are now. */
  text(): Promise<string>
}

/** A part aims at two minutes; careful ones and slow sources take longer. */
const PART_SECONDS = [1, 5, 15, 30, 60, 120, 240, 480, 960, 1920]

export async function createWorkerMetrics(labels: WorkerLabels): Promise<WorkerMetrics> {
  const { Registry: Made, collectDefaultMetrics } = await import('prom-client')
  const registry = new Made()
  registry.setDefaultLabels({ ...labels })
  collectDefaultMetrics({ register: registry })
  const count = await counters(registry)
  return { count, contentType: registry.contentType, text: () => registry.metrics() }
}

async function counters(registry: Registry): Promise<(event: WorkerEvent) => void> {
  const { Counter, Gauge, Histogram } = await import('prom-client')
  const registers = [registry]
  const parts = new Counter({
    name: 'plumage_parts_total',
    help: 'Parts by what became of them.',
    labelNames: ['result'],
    registers,
  })
  const rows = new Counter({
    name: 'plumage_rows_total',
    help: 'Rows done, those of parts that are done again included.',
    labelNames: ['result'],
    registers,
  })
  const failures = new Counter({
    name: 'plumage_row_failures_total',
    help: 'Rows that failed, by the code of their reason.',
    labelNames: ['code'],
    registers,
  })
  const bytes = new Counter({
    name: 'plumage_committed_bytes_total',
    help: 'Bytes of committed parts.',
    registers,
  })
  const seconds = new Histogram({
    name: 'plumage_part_seconds',
    help: 'Seconds from taking a part to its commit.',
    buckets: PART_SECONDS,
    registers,
  })
  const active = new Gauge({ name: 'plumage_parts_active', help: 'Parts that are worked on.', registers })
  const trouble = new Counter({
    name: 'plumage_trouble_total',
    help: 'Times that storage or queue did not answer.',
    registers,
  })
  const waits = new Counter({
    name: 'plumage_waits_total',
    help: 'Times that there was nothing to do.',
    labelNames: ['why'],
    registers,
  })
  const killed = new Counter({
    name: 'plumage_rows_killed_total',
    help: 'Rows that ended workers by themselves.',
    registers,
  })
  // Figures of what has not happened yet are nought, so that a rate of them can be asked for from the start.
  for (const result of ['committed', 'dropped', 'given-back', 'lost']) parts.inc({ result }, 0)
  for (const result of ['embedded', 'failed']) rows.inc({ result }, 0)

  const ended = (result: string) => {
    parts.inc({ result })
    active.set(0)
  }
  return (event) => {
    switch (event.kind) {
      case 'partTaken':
        return active.set(1)
      case 'partCommitted':
        bytes.inc(event.bytes)
        seconds.observe(event.seconds)
        return ended('committed')
      case 'partDropped':
        return ended('dropped')
      case 'partGivenBack':
        return ended('given-back')
      case 'claimLost':
        return ended('lost')
      case 'rowDone':
        return rows.inc({ result: event.failed ? 'failed' : 'embedded' })
      case 'rowFailed':
        return failures.inc({ code: event.code })
      case 'rowKilled':
        return killed.inc()
      case 'trouble':
        return trouble.inc()
      case 'waiting':
        return waits.inc({ why: event.why })
      case 'carefulRange':
      case 'refilled':
        return
    }
  }
}
