/**
 * Tells traces of OpenTelemetry what a worker does: a span for each part. Where no SDK has been set up, as by `node --import` and the variables `OTEL_…`, its
 * interface does nothing, and so does this.
 */
import type { Span, Tracer } from '@opentelemetry/api'
import type { WorkerEvent } from '../../../../jobs/events.js'
import { countOf } from '../../../../jobs/state.js'
import type { WorkerLabels } from './worker-metrics.js'

export async function createWorkerTraces({
  job,
  worker,
}: WorkerLabels): Promise<(event: WorkerEvent) => void> {
  const { SpanStatusCode, trace } = await import('@opentelemetry/api')
  const tracer: Tracer = trace.getTracer('plumage')
  let span: Span | null = null
  const end = (result: string, error: string | null) => {
    span?.setAttribute('plumage.part.result', result)
    if (error !== null) span?.setStatus({ code: SpanStatusCode.ERROR, message: error })
    span?.end()
    span = null
  }
  return (event) => {
    switch (event.kind) {
      case 'partTaken': {
        const { round, part, pass } = event.task
        span = tracer.startSpan('plumage.part', {
          attributes: {
            'plumage.job': job,
            'plumage.worker': worker,
            'plumage.round': round,
            'plumage.part': part,
            'plumage.pass': pass,
            'plumage.rows': event.rows,
            'plumage.deaths': event.deaths,
          },
        })
        return
      }
      case 'partCommitted':
        span?.setAttribute('plumage.failed', countOf(event.failed))
        span?.setAttribute('plumage.bytes', event.bytes)
        return end('committed', null)
      case 'partDropped':
        return end('dropped', null)
      case 'partGivenBack':
        return end('given-back', event.why === 'stopping' ? null : event.reason)
      case 'claimLost':
        return end('lost', 'the queue gave the part to another worker')
      case 'carefulRange':
        span?.addEvent('careful range', { from: event.from, to: event.to })
        return
      default:
        return
    }
  }
}
