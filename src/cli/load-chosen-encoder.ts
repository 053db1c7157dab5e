/** Loads the model that the options choose, telling about a download and about an engine that was not expected. */

import type { DownloadProgress } from '../hub/download-progress.js'
import type { FileEncoder } from '../work/file-encoder.js'
import { UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { loadOptions, type ModelOptions } from './model-options.js'
import { Progress } from './progress.js'

export async function loadChosenEncoder(
  context: CommandContext,
  options: ModelOptions,
): Promise<FileEncoder> {
  const { stderr, isTTY, color, signal } = context
  const json = options.json ?? false
  using progress = new Progress({ stream: stderr, isTTY, color, json, total: undefined })
  const loading = context.loadEncoder(options.model, {
    ...loadOptions(options, signal),
    ...loadListeners(context, json, progress),
  })
  const encoder = await loading.catch((error) => {
    // An option has a value that makes no sense, such as a size that is no whole number of patches.
    throw error instanceof RangeError ? new UsageError(error.message) : error
  })
  const problem = problemOrNull(encoder, options)
  if (problem === null) return encoder
  await encoder[Symbol.asyncDispose]()
  throw new UsageError(problem)
}

/** What would make every single image fail is told once, before the first. */
function problemOrNull({ identity }: FileEncoder, { precision }: ModelOptions): string | null {
  if (precision !== undefined && precision !== 'auto' && precision !== identity.precision) {
    const other = precision === 'float64' ? '--engine reference' : '--engine native'
    return (
      `The ${identity.engine} engine computes in ${identity.precision}, not in ${precision}. ` +
      `Leave --precision away, or try ${other}.`
    )
  }
  return null
}

/** Makes the listeners that are told about a download, and about an engine that was not expected. */
export function loadListeners(context: CommandContext, json: boolean, progress: Progress) {
  return {
    onProgress: downloadAnnouncer(context, json, progress),
    onWarning: (warning: string) => {
      if (json) context.stderr.write(`${JSON.stringify({ event: 'warning', warning })}\n`)
      else progress.say(warning)
    },
  }
}

/** A terminal sees the bytes grow, a program gets them as JSON, and a log has one line for each download. */
export function downloadAnnouncer({ isTTY, stderr }: CommandContext, json: boolean, progress: Progress) {
  let lastShown = Number.NEGATIVE_INFINITY
  return ({ kind, received, total, url }: DownloadProgress) => {
    if (kind === 'bytes' || kind === 'verify' || kind === 'waiting') {
      if (performance.now() - lastShown < (json ? 1000 : 100)) return
      lastShown = performance.now()
    }
    const size = total === null ? '' : ` of ${mebibytes(total)}`
    if (json) stderr.write(`${JSON.stringify({ event: 'download', kind, received, total, url })}\n`)
    else if (isTTY) progress.phase(`${VERBS[kind]} ${url}: ${mebibytes(received)}${size}`)
    else if (kind === 'start' || kind === 'resume') progress.say(`downloading ${url}${size}`)
  }
}

const VERBS: Readonly<Record<DownloadProgress['kind'], string>> = {
  start: 'downloading',
  resume: 'downloading',
  bytes: 'downloading',
  waiting: 'another process downloads',
  verify: 'checking',
  done: 'downloaded',
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
