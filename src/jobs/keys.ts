/** Names what a job keeps at its destination. */
import { shortDigest } from '../encoder/short-digest.js'

export const JOB_KEY = 'job.json'
export const STATE_KEY = 'state.json'
export const CURSOR_KEY = 'queue/cursor.json'
export const TALLY_KEY = 'tally.json'
export const WORKERS_PREFIX = 'workers/'

export function planKey(round: number): string {
  return `plan/${round}/plan.json`
}

/** The plan's id keeps two apart that are made at a time. */
export function segmentKey(round: number, plan: string, segment: number): string {
  return `plan/${round}/${plan}-${digits(segment)}.rows`
}

/** A part is named by plan, number and identity: processors differ in the last bits, and the first who commits wins. */
export function partKey(round: number, part: number, identity: string): string {
  return `parts/${round}/${digits(part)}-${shortDigest(identity)}.parquet`
}

export function carefulKey(round: number, part: number): string {
  return `careful/${round}/${digits(part)}.json`
}

export function pieceKey(round: number, part: number, from: number, to: number): string {
  return `careful/${round}/${digits(part)}/${from}-${to}.parquet`
}

export function triesKey(round: number, part: number): string {
  return `tries/${round}/${digits(part)}.json`
}

export function workerKey(worker: string): string {
  return `${WORKERS_PREFIX}${worker}.json`
}

/** Keys are listed in the order of their letters. */
function digits(number: number): string {
  return String(number).padStart(8, '0')
}
