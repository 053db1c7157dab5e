/** Computes golden cases again for `plumage verify <folder>`, and prints the error of each beside its tolerance. */
import type { Comparison } from '../verify/case.js'
import type { LeftOut } from '../verify/verify-cases.js'
import { IncompleteError, InterruptedError, UsageError } from './cli-error.js'
import type { CommandContext, VerifyOptions } from './context.js'

interface Options extends Pick<VerifyOptions, 'engine' | 'precision' | 'filter'> {
  readonly json?: boolean
}

/** @param root is the folder, as `folder` names it */
export async function verifyGoldens(
  context: CommandContext,
  folder: string,
  root: string,
  { json = false, ...options }: Options,
): Promise<void> {
  const leftOut: LeftOut[] = []
  let passed = 0
  let failed = 0
  try {
    for await (const result of context.verifyGoldens(root, {
      ...options,
      signal: context.signal,
      onLeftOut: (one) => leftOut.push(one),
    })) {
      if (result.passed) passed++
      else failed++
      context.stdout.write(json ? `${JSON.stringify(result)}\n` : `${line(result)}\n`)
    }
  } catch (error) {
    if (context.signal.aborted)
      throw new InterruptedError(`Interrupted after ${passed + failed} comparisons.`)
    if (error instanceof SyntaxError)
      throw new UsageError(`${folder}/index.json is no JSON: ${error.message}.`)
    throw error
  }
  if (json) {
    const notCompared = leftOut.map(({ isOfKind: _, ...one }) => one)
    context.stdout.write(`${JSON.stringify({ passed, failed, notCompared })}\n`)
  } else {
    for (const told of leftOutLines(leftOut)) context.stdout.write(`${told}\n`)
    if (passed + failed > 0) context.stdout.write(`${passed} passed, ${failed} failed\n`)
  }
  if (passed + failed === 0) throw new UsageError(nothingRan(folder, options.filter, leftOut))
  if (failed > 0)
    throw new IncompleteError(`${failed} of ${passed + failed} comparisons fall short of their tolerance.`)
}

function nothingRan(folder: string, filter: string | undefined, leftOut: readonly LeftOut[]): string {
  const named = filter === undefined ? '' : ` that has ${filter} in its name`
  if (leftOut.length > 0) return `No case of ${folder}${named} can be compared here: the lines above say why.`
  return filter === undefined
    ? `No case of ${folder} could be compared: is its index.json empty?`
    : `No case of ${folder} has ${filter} in its name. Leave --filter away to run all.`
}

/** Counts the cases of kinds that nothing here can run, and names single ones and tensors, a line for each reason. */
function leftOutLines(leftOut: readonly LeftOut[]): readonly string[] {
  const byReason = new Map<string, readonly LeftOut[]>()
  for (const one of leftOut) {
    const reason = `${one.kind}: ${one.reason}`
    byReason.set(reason, [...(byReason.get(reason) ?? []), one])
  }
  return [...byReason].map(([reason, cases]) => {
    const tensors = new Set(cases.flatMap((one) => one.tensors ?? []))
    if (tensors.size > 0) {
      // A case whose network lies in several layouts is told once for each.
      const { size } = new Set(cases.map(({ id }) => id))
      return `not compared: ${shownNames([...tensors])} of ${size} of kind ${reason}`
    }
    const names = cases.every(({ isOfKind }) => isOfKind) ? '' : ` (${cases.map(({ id }) => id).join(', ')})`
    return `not compared: ${cases.length} of kind ${reason}${names}`
  })
}

/** So many names are shown of tensors that are left out for one reason; JSON has all. */
const SHOWN_TENSORS = 4

function shownNames(names: readonly string[]): string {
  const more = names.length - SHOWN_TENSORS
  return more > 1 ? `${names.slice(0, SHOWN_TENSORS).join(', ')} and ${more} more` : names.join(', ')
}

function line({ id, tensor, error, tolerance, passed, note }: Comparison): string {
  const figures = `error ${error.toExponential(2)}  tolerance ${tolerance.toExponential(0)}`
  return `${passed ? 'ok  ' : 'FAIL'} ${id} ${tensor}  ${figures}${note === undefined ? '' : `  (${note})`}`
}
