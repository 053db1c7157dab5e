/** `plumage outliers` lists the photos of a collection that are like no others. */
import { Command } from 'commander'
import { findOutliers } from '../../collection/find-outliers.js'
import { addCollectionOption, collectionPlace } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import { positiveInteger } from '../model-options.js'
import { printable } from '../progress.js'

interface OutliersOptions {
  readonly in: string
  readonly count: number
  readonly neighbours: number
  readonly json?: boolean
}

export function outliersCommand(context: CommandContext): Command {
  const command = new Command('outliers')
  addCollectionOption(command, '--in <collection>', 'the collection')
    .option('-n, --count <n>', 'photos to list', positiveInteger, 20)
    .option('--neighbours <n>', 'neighbours whose mean distance counts', positiveInteger, 10)
    .option('--json', 'a JSON line for each photo')
  return command.action((options: OutliersOptions) => outliers(context, options))
}

async function outliers(context: CommandContext, options: OutliersOptions): Promise<void> {
  const { files, signal, collections, stdout, stderr } = context
  await using collection = await collections.open(collectionPlace(files, options.in), { signal })
  const { count, neighbours } = options
  const found = await findOutliers(collection, { count, neighbours, signal })
  for (const outlier of found) {
    const { root, path, distance, deviations, isOutlier } = outlier
    const line = `${distance.toFixed(4)}  ${deviations.toFixed(1).padStart(5)}  ${isOutlier ? 'outlier' : '       '}  ${root}/${path}`
    stdout.write(options.json ? `${JSON.stringify(outlier)}\n` : `${printable(line)}\n`)
  }
  const far = found.filter(({ isOutlier }) => isOutlier).length
  stderr.write(`${far} of these ${found.length} lie more than 3.5 deviations from the median distance.\n`)
}
