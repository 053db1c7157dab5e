/** `plumage collection import` takes embeddings that others have computed into a collection. */

import { Command } from 'commander'
import { namesPath } from '../../../formats/npy.js'
import { shownPlace } from '../../../is-address.js'
import type { ImportOptions } from '../../../platform/node/collection/import-collection.js'
import { importCollection } from '../../../platform/node/collection/import-collection.js'
import { IncompleteError } from '../../cli-error.js'
import { addCollectionOption, collectionPlace, modelOf } from '../../collection-option.js'
import type { CommandContext } from '../../context.js'
import { counted } from '../../counted.js'
import { loadChosenEncoder } from '../../load-chosen-encoder.js'
import { localCopyOf } from '../../local-copy.js'
import { localPath } from '../../local-path.js'
import { addImageOptions, type ModelOptions } from '../../model-options.js'
import { printable } from '../../progress.js'

interface ImportCommandOptions extends ModelOptions {
  readonly to: string
  readonly identityOf?: string
  readonly foreign?: string
  readonly base?: string
  readonly pathColumn?: string
  readonly vectorColumn?: string
}

export function importCommand(context: CommandContext): Command {
  const command = new Command('import')
    .description('take embeddings that were computed elsewhere into a collection')
    .argument(
      '<file>',
      '.parquet, .arrow, .jsonl, .csv, .npy with names beside it, at a path or an address (s3:, az:, gs:, https:), or the folder of a FiftyOne dataset',
    )
  return addImageOptions(addCollectionOption(command, '--to <collection>', 'the collection'))
    .option('--identity-of <model>', 'state that this model made them, loaded with the options here')
    .option(
      '--foreign <name>',
      'state that something else made them, by its name: only what is in the collection is compared then',
    )
    .option(
      '--base <folder>',
      'folder that paths start from, and which holds all photos; default: the current one',
    )
    .option('--path-column <name>', 'the column of paths')
    .option('--vector-column <name>', 'the column of embeddings')
    .option('--json', 'what happens as JSON lines on stderr')
    .action((file: string, options: ImportCommandOptions) => importFile(context, file, options))
}

async function importFile(
  context: CommandContext,
  file: string,
  options: ImportCommandOptions,
): Promise<void> {
  const { files, signal, stdout, stderr } = context
  const { foreign, pathColumn, vectorColumn, base = '.', json = false } = options
  let refusedCount = 0
  const told = { foreign, pathColumn, vectorColumn }
  const choice: ImportOptions = {
    ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)),
    ...(await statedModel(context, options)),
    base: localPath(files, '--base', base, BASE),
    signal,
    onRefused: (refused) => {
      refusedCount++
      const { place, code, reason } = refused
      if (json) stderr.write(`${JSON.stringify({ event: 'refused', ...refused })}\n`)
      else if (refusedCount <= MOST_TOLD)
        stderr.write(`${place} was not taken (${code}): ${printable(reason)}\n`)
    },
  }
  await using copy = await localCopyOf(context, file, [namesPath, (name) => `${name}.meta.json`])
  const counts = await importCollection(copy.path, collectionPlace(files, options.to), choice).catch(
    (error: unknown) => {
      if (error instanceof Error) error.message = copy.told(error.message)
      throw error
    },
  )
  if (refusedCount > MOST_TOLD && !json) stderr.write(`… and ${refusedCount - MOST_TOLD} more\n`)
  const renamed = Object.entries(counts.columns).filter(([from, to]) => from !== to)
  stdout.write(
    `${counts.added} added, ${counts.replaced} replaced, ${refusedCount} not taken in ${shownPlace(options.to)}\n${renamed
      .map(([from, to]) => `the column ${printable(from)} is called ${to}\n`)
      .join('')}`,
  )
  if (refusedCount > 0) throw new IncompleteError(`${counted(refusedCount, 'row')} could not be taken.`)
}

const BASE = 'Photos of a collection lie in folders of this machine: name the one that holds them.'

/** So many rows are told by name. */
const MOST_TOLD = 20

async function statedModel(
  context: CommandContext,
  options: ImportCommandOptions,
): Promise<Pick<ImportOptions, 'identity' | 'model'>> {
  if (options.identityOf === undefined) return {}
  const chosen = { ...options, model: options.identityOf }
  await using encoder = await loadChosenEncoder(context, chosen)
  return { identity: encoder.identity, model: modelOf(chosen, encoder.identity) }
}
