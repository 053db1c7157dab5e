import { expect, test } from 'vitest'
import { observeWorker } from './observe-worker.js'
import { WorkerHealth } from './worker-health.js'
import { createWorkerMetrics } from './worker-metrics.js'

const LABELS = { job: '0123456789abcdef', worker: 'host-1' }
const task = { round: 0, part: 7, pass: 1 }

async function get(address: string, path: string, init: RequestInit = {}) {
  const answer = await fetch(`${address}${path}`, init)
  return { status: answer.status, text: await answer.text() }
}

test('figures count parts and rows by what became of them, and start at nought', async () => {
  await using observer = await observeWorker(LABELS, { listen: { host: '127.0.0.1', port: 0 } })
  const address = observer.address as string
  const labels = 'job="0123456789abcdef",worker="host-1"'
  expect((await get(address, '/metrics')).text).toContain(`plumage_parts_total{result="lost",${labels}} 0`)
  observer.onEvent({ kind: 'partTaken', task, rows: 3, deaths: 0 })
  expect((await get(address, '/metrics')).text).toContain(`plumage_parts_active{${labels}} 1`)
  observer.onEvent({ kind: 'rowDone', task, failed: false })
  observer.onEvent({ kind: 'rowDone', task, failed: false })
  observer.onEvent({ kind: 'rowDone', task, failed: true })
  observer.onEvent({ kind: 'rowFailed', task, id: 'line 3', name: 'c.jpg', code: 'timeout', reason: 'slow' })
  observer.onEvent({ kind: 'partCommitted', task, rows: 3, failed: { timeout: 1 }, seconds: 2, bytes: 999 })
  observer.onEvent({ kind: 'partTaken', task, rows: 3, deaths: 0 })
  observer.onEvent({ kind: 'claimLost', task, reason: 'The queue has forgotten this part.' })
  const { text } = await get(address, '/metrics')
  for (const line of [
    `plumage_parts_total{result="committed",${labels}} 1`,
    `plumage_parts_total{result="lost",${labels}} 1`,
    `plumage_rows_total{result="embedded",${labels}} 2`,
    `plumage_rows_total{result="failed",${labels}} 1`,
    `plumage_row_failures_total{code="timeout",${labels}} 1`,
    `plumage_committed_bytes_total{${labels}} 999`,
    `plumage_part_seconds_bucket{le="5",${labels}} 1`,
    `plumage_parts_active{${labels}} 0`,
  ])
    expect(text).toContain(`${line}\n`)
})

test('it is ready once it works, not while it is paused or storage is silent, and hung after a long silence', async () => {
  let now = 0
  const metrics = await createWorkerMetrics(LABELS)
  await using health = await WorkerHealth.listen({
    metrics,
    host: '127.0.0.1',
    port: 0,
    hungMs: 1000,
    now: () => now,
  })
  const { address } = health
  expect(await get(address, '/readyz')).toEqual({ status: 503, text: 'the worker is starting\n' })
  health.sign({ kind: 'partTaken', task, rows: 1, deaths: 0 })
  expect((await get(address, '/readyz')).status).toBe(200)
  health.sign({ kind: 'waiting', why: 'no-parts', reason: 'others have the last parts' })
  expect((await get(address, '/readyz')).status).toBe(200)
  health.sign({ kind: 'waiting', why: 'paused', reason: 'the job is paused' })
  expect(await get(address, '/readyz')).toEqual({ status: 503, text: 'the job is paused\n' })
  health.sign({ kind: 'trouble', reason: 's3://b did not answer', retryMs: 5000 })
  expect(await get(address, '/readyz')).toEqual({ status: 503, text: 's3://b did not answer\n' })
  now = 900
  expect((await get(address, '/livez')).status).toBe(200)
  now = 1500
  expect(await get(address, '/livez')).toEqual({ status: 503, text: 'hung: last sign 2 s ago\n' })
  health.sign({ kind: 'rowDone', task, failed: false })
  expect((await get(address, '/livez')).status).toBe(200)
  expect((await get(address, '/')).status).toBe(404)
  expect((await get(address, '/metrics', { method: 'POST' })).status).toBe(405)
})

test('log lines carry job, worker and part, and rows that are done are none', async () => {
  const lines: Record<string, unknown>[] = []
  const stream = { write: (text: string) => void lines.push(JSON.parse(text)) }
  await using observer = await observeWorker(LABELS, { log: { stream } })
  expect(observer.address).toBeNull()
  observer.onEvent({ kind: 'partTaken', task, rows: 3, deaths: 2 })
  observer.onEvent({ kind: 'rowDone', task, failed: false })
  observer.onEvent({ kind: 'rowFailed', task, id: '1', name: 'a\nb', code: 'timeout', reason: 'slow' })
  observer.onEvent({
    kind: 'partGivenBack',
    task,
    why: 'transient',
    delayMs: 5,
    reason: '3 of 3 rows failed',
  })
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'info',
      ...LABELS,
      round: 0,
      part: 7,
      pass: 1,
      event: 'partTaken',
      deaths: 2,
      msg: 'took a part that 2 workers never finished',
    }),
    expect.objectContaining({
      level: 'warn',
      event: 'partGivenBack',
      msg: 'gave a part back: 3 of 3 rows failed',
    }),
  ])
  expect(String(lines[0]?.time)).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
})

test('a span of each part goes to whatever was set up for traces', async () => {
  const { trace } = await import('@opentelemetry/api')
  const spans: { name: string; attributes: Record<string, unknown>; status?: unknown; ended: boolean }[] = []
  const startSpan = (name: string, { attributes }: { attributes: Record<string, unknown> }) => {
    const span = { name, attributes: { ...attributes }, ended: false } as (typeof spans)[number]
    spans.push(span)
    return {
      setAttribute: (key: string, value: unknown) => Object.assign(span.attributes, { [key]: value }),
      setStatus: (status: unknown) => Object.assign(span, { status }),
      addEvent: () => {},
      end: () => Object.assign(span, { ended: true }),
    }
  }
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) } as never)
  try {
    await using observer = await observeWorker(LABELS, {})
    observer.onEvent({ kind: 'partTaken', task, rows: 3, deaths: 0 })
    observer.onEvent({ kind: 'partCommitted', task, rows: 3, failed: { timeout: 1 }, seconds: 2, bytes: 9 })
    observer.onEvent({ kind: 'partTaken', task, rows: 3, deaths: 0 })
    observer.onEvent({ kind: 'claimLost', task, reason: 'The queue has forgotten this part.' })
  } finally {
    trace.disable()
  }
  expect(spans).toEqual([
    {
      name: 'plumage.part',
      ended: true,
      attributes: expect.objectContaining({
        'plumage.job': LABELS.job,
        'plumage.part': 7,
        'plumage.part.result': 'committed',
        'plumage.failed': 1,
      }),
    },
    expect.objectContaining({
      ended: true,
      status: { code: 2, message: 'the queue gave the part to another worker' },
    }),
  ])
})
