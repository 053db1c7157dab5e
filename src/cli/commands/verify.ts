/** `plumage verify` tries a model on each engine and in each precision, or computes golden cases again. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import { UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { addImageOptions } from '../model-options.js'
import { verifyGoldens } from '../verify-goldens.js'
import { type VerifyModelCommandOptions, verifyModel } from '../verify-model.js'

interface Options extends VerifyModelCommandOptions {
  readonly filter?: string
}

/** Golden cases say themselves all that other options could. */
const OF_GOLDENS: readonly string[] = ['engine', 'precision', 'filter', 'json']

export function verifyCommand(context: CommandContext): Command {
  const command = new Command('verify')
    .description(
      'try a model on each engine and in each precision of this machine, on photos, and recommend one; or compute golden cases again',
    )
    .argument(
      '[model]',
      `${DEFAULT_MODEL.name} (in the package), the name of published weights, a path or an address; or a folder of golden cases, with an index.json`,
      DEFAULT_MODEL.name,
    )
  return addImageOptions(command)
    .option('--photos <photo...>', 'photos to try a model on (default: four that come with the package)')
    .option('--filter <text>', 'of golden cases only those whose name contains this')
    .option('--json', 'the result as JSON; of golden cases one object a line')
    .action(async (model: string, options: Options) => {
      const root = resolve(context.cwd, model)
      const isGoldens = existsSync(join(root, 'index.json'))
      refuseForeign(command, model, isGoldens)
      if (isGoldens) await verifyGoldens(context, model, root, goldenOptions(options))
      else await verifyModel(context, model, options)
    })
}

function goldenOptions({ engine, precision, filter, json }: Options) {
  return {
    engine,
    ...(precision === undefined ? {} : { precision }),
    ...(filter === undefined ? {} : { filter }),
    ...(json === undefined ? {} : { json }),
  }
}

/** Throws for an option that the other of the two ways has: nothing is ignored silently. */
function refuseForeign(command: Command, model: string, isGoldens: boolean): void {
  for (const option of command.options) {
    const name = option.attributeName()
    if (command.getOptionValueSource(name) !== 'cli') continue
    if (isGoldens && !OF_GOLDENS.includes(name)) {
      throw new UsageError(
        `${option.long} is for a model; ${model} is a folder of golden cases: leave it out.`,
      )
    }
    if (!isGoldens && name === 'filter') {
      throw new UsageError(
        `--filter is for golden cases; ${model} has no index.json and is taken for a model: leave it out, or name a folder of golden cases.`,
      )
    }
  }
}
