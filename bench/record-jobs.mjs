/** Records what the benches of jobs found, a section for each of them, in jobs-results.json: docs/scale.md has its figures from there. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { describeMachine } from './machine.mjs'

const RESULTS = new URL('jobs-results.json', import.meta.url)

/**
 * Replaces the section of this name.
 *
 * @param rows are `{ what, figure }`
 * @param load are the means of runnable threads over a minute that were seen while it was measured, this bench's own included
 */
export function recordJobs(name, rows, load) {
  const { cpu, cores, node } = describeMachine()
  const found = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {}
  const section = {
    date: new Date().toISOString(),
    machine: `${cpu}, ${cores} cores, Node ${node}`,
    load: [Math.min(...load), Math.max(...load)].map((value) => Number(value.toFixed(1))),
    rows,
  }
  writeFileSync(RESULTS, `${JSON.stringify({ ...found, [name]: section }, null, 2)}\n`)
  for (const { what, figure } of rows) console.log(`${what}: ${figure}`)
}

/** Notes how busy the machine is until it is told to stop, and gives what it noted. */
export function watchLoad() {
  const seen = [os.loadavg()[0]]
  const timer = setInterval(() => seen.push(os.loadavg()[0]), 5000)
  return () => {
    clearInterval(timer)
    return [...seen, os.loadavg()[0]]
  }
}

/** Samples the resident memory of this process; what it gives back says how the median of the first quarter and that of the last compare. */
export function watchMemory(everyMs = 250) {
  const seen = [process.memoryUsage.rss() / 1e6]
  const timer = setInterval(() => seen.push(process.memoryUsage.rss() / 1e6), everyMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    const quarter = Math.max(1, seen.length >> 2)
    const peakMB = process.resourceUsage().maxRSS / 1000
    return { firstMB: median(seen.slice(0, quarter)), lastMB: median(seen.slice(-quarter)), peakMB }
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

export const inWords = {
  count: (value) => Math.round(value).toLocaleString('en-US'),
  seconds: (value) => `${Number(value.toPrecision(3))} s`,
  memory: ({ firstMB, lastMB, peakMB }) =>
    `${firstMB.toFixed(0)} MB in the first quarter of its time and ${lastMB.toFixed(0)} MB in the last, peak ${peakMB.toFixed(0)} MB`,
}
