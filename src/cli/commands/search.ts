/** `plumage search` finds the photos of a collection that are most like given ones. */
import { Command } from 'commander'
import type { FoundRow } from '../../collection/collection.js'
import { UsageError } from '../cli-error.js'
import { addCollectionOption, loadEncoderOf } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import { addComputeOptions, type ComputeOptions, positiveInteger } from '../model-options.js'
import { printable } from '../progress.js'

interface SearchOptions extends ComputeOptions {
  readonly in: string
  readonly count: number
  readonly json?: boolean
}

export function searchCommand(context: CommandContext): Command {
  const command = new Command('search')
    .description('find the photos of a collection that are most like given ones')
    .argument('<photos...>', 'photos to start from')
  addComputeOptions(addCollectionOption(command, '--in <collection>', 'the collection'))
    .option('-n, --count <n>', 'photos to find', positiveInteger, 10)
    .option('--json', 'a JSON line for each photo')
  return command.action((photos: string[], options: SearchOptions) => search(context, photos, options))
}

async function search(
  context: CommandContext,
  photos: readonly string[],
  options: SearchOptions,
): Promise<void> {
  const { files, signal, collections, stdout } = context
  await using collection = await collections.open(files.resolve(options.in), { signal })
  await using encoder = await loadEncoderOf(context, collection, options)
  async function* sources() {
    for (const photo of photos) yield files.resolve(photo)
  }
  const sum = new Float32Array(collection.about.width)
  for await (const { features, error } of encoder.encodeAll(sources(), { signal })) {
    if (features === undefined) throw new UsageError(`What is searched for cannot be read: ${error.message}`)
    const { embedding } = features
    const length = Math.hypot(...embedding)
    for (const [at, value] of embedding.entries()) sum[at] = (sum[at] ?? 0) + value / length
  }
  const found = await collection.nearest(sum, { count: options.count, signal })
  for (const one of found) stdout.write(options.json ? jsonOf(one) : lineOf(one))
}

function jsonOf({ similarity, row }: FoundRow): string {
  return `${JSON.stringify({ similarity, ...row })}\n`
}

function lineOf({ similarity, row }: FoundRow): string {
  return `${similarity.toFixed(4)}  ${printable(`${row.root}/${row.path}`)}\n`
}
