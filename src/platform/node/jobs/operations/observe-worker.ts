/** Puts together what is told of a worker: figures, health, logs and traces, all from its events. */
import type { WorkerEvent } from '../../../../jobs/events.js'
import { WorkerHealth } from './worker-health.js'
import { createWorkerLog, type WorkerLogOptions } from './worker-log.js'
import { createWorkerMetrics, type WorkerLabels } from './worker-metrics.js'
import { createWorkerTraces } from './worker-traces.js'

export interface ObserveOptions {
  /** Answers there for `/metrics`, `/livez` and `/readyz`; default: nowhere. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined
  /** Writes JSON lines; default: none. */
  readonly log?: WorkerLogOptions | undefined
}

export interface WorkerObserver extends AsyncDisposable {
  /** Is handed to the worker. */
  readonly onEvent: (event: WorkerEvent) => void
  /** Is where figures and health are answered; null where they are not. */
  readonly address: string | null
}

/** Rejects where the port cannot be had. */
export async function observeWorker(
  labels: WorkerLabels,
  { listen, log }: ObserveOptions,
): Promise<WorkerObserver> {
  const takers = [await createWorkerTraces(labels)]
  if (log !== undefined) takers.push(await createWorkerLog(labels, log))
  let health: WorkerHealth | null = null
  if (listen !== undefined) {
    const metrics = await createWorkerMetrics(labels)
    const listening = await WorkerHealth.listen({ metrics, ...listen })
    takers.push(metrics.count, (event) => listening.sign(event))
    health = listening
  }
  return {
    address: health?.address ?? null,
    onEvent: (event) => {
      for (const take of takers) take(event)
    },
    [Symbol.asyncDispose]: async () => await health?.[Symbol.asyncDispose](),
  }
}
