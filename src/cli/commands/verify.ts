/** `plumage verify` computes golden cases again and compares. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import type { EngineChoiceName, PrecisionChoice } from '../../encoder/load-options.js'
import { ENGINE_CHOICES } from '../../platform/node/engine-choices.js'
import type { Comparison, GoldenCase } from '../../verify/case.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { precisionOption } from '../model-options.js'

interface Options {
  readonly engine?: EngineChoiceName
  readonly precision?: PrecisionChoice
  readonly filter?: string
  readonly json?: boolean
}

export function verifyCommand(context: CommandContext): Command {
  return new Command('verify')
    .description('compute golden cases again and print the error of each beside its tolerance')
    .argument('<folder>', 'a folder with an index.json')
    .addOption(new Option('--engine <engine>', 'what computes').choices(ENGINE_CHOICES).default('auto'))
    .addOption(precisionOption())
    .option('--filter <text>', 'only cases whose name contains this')
    .option('--json', 'one JSON object a line')
    .action((folder: string, options: Options) => verify(context, folder, options))
}

async function verify(
  context: CommandContext,
  folder: string,
  { json = false, ...options }: Options,
): Promise<void> {
  const root = resolve(context.cwd, folder)
  if (!existsSync(join(root, 'index.json'))) {
    throw new UsageError(
      `${folder} has no index.json (looked in ${root}): expected a folder of golden cases.`,
    )
  }
  const leftOut = new Map<string, number>()
  const onLeftOut = ({ kind }: GoldenCase) => leftOut.set(kind, (leftOut.get(kind) ?? 0) + 1)
  let passed = 0
  let failed = 0
  try {
    for await (const result of context.verifyGoldens(root, {
      ...options,
      signal: context.signal,
      onLeftOut,
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
  if (passed + failed === 0 && leftOut.size > 0) {
    if (json)
      context.stdout.write(
        `${JSON.stringify({ passed, failed, notCompared: Object.fromEntries(leftOut) })}\n`,
      )
    const named = options.filter === undefined ? '' : ` that has ${options.filter} in its name`
    throw new UsageError(`No case of ${folder}${named} can be compared here: ${kindsOf(leftOut)}.`)
  }
  if (passed + failed === 0) {
    throw new UsageError(
      `No case of ${folder}${options.filter === undefined ? '' : ` has ${options.filter} in its name`}` +
        `${options.filter === undefined ? ' could be compared: is its index.json empty?' : '. Leave --filter away to run all.'}`,
    )
  }
  context.stdout.write(
    json
      ? `${JSON.stringify({ passed, failed, notCompared: Object.fromEntries(leftOut) })}\n`
      : `${describeLeftOut(leftOut)}${passed} passed, ${failed} failed\n`,
  )
  if (failed > 0)
    throw new IncompleteError(`${failed} of ${passed + failed} comparisons fall short of their tolerance.`)
}

/** Names the kinds of case that nothing here can run, in a line of their own. */
function describeLeftOut(leftOut: ReadonlyMap<string, number>): string {
  if (leftOut.size === 0) return ''
  return `not compared, since nothing here can run them: ${kindsOf(leftOut)}\n`
}

function kindsOf(leftOut: ReadonlyMap<string, number>): string {
  return [...leftOut].map(([kind, count]) => `${count} of kind ${kind}`).join(', ')
}

function line({ id, tensor, error, tolerance, passed, note }: Comparison): string {
  const figures = `error ${error.toExponential(2)}  tolerance ${tolerance.toExponential(0)}`
  return `${passed ? 'ok  ' : 'FAIL'} ${id} ${tensor}  ${figures}${note === undefined ? '' : `  (${note})`}`
}
