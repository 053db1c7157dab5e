/** `plumage index` makes a collection of the photos in folders, or brings it up to date. */
import { Command } from 'commander'
import type { Collection } from '../../collection/collection.js'
import type { IndexCounts } from '../../collection/index-photos.js'
import type { FileEncoder } from '../../work/file-encoder.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import { addCollectionOption, loadEncoderOf, modelOf } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import { loadChosenEncoder } from '../load-chosen-encoder.js'
import { addImageOptions, addModelOption, type ModelOptions } from '../model-options.js'
import { Progress } from '../progress.js'
import { terminal } from '../run-resumably.js'

interface IndexCommandOptions extends ModelOptions {
  readonly to: string
  readonly dtype?: 'float16' | 'float32'
  readonly retryFailed?: boolean
  readonly prune?: boolean
}

export function indexCommand(context: CommandContext): Command {
  const command = new Command('index')
    .description('make a collection of the photos in folders, or bring it up to date')
    .argument('<folders...>', 'folders of photos')
  addImageOptions(addModelOption(addCollectionOption(command, '--to <collection>', 'the collection')))
    .option('--float32', 'keep embeddings in float32 rather than float16')
    .option('--retry-failed', 'try photos again that could not be read and have not changed since')
    .option('--prune', 'forget photos that are not there any more')
    .option('--json', 'progress as JSON lines on stderr')
  return command.action(
    (folders: string[], options: IndexCommandOptions & { float32?: boolean }, self: Command) =>
      indexFolders(context, folders, options, self.getOptionValueSource('model') === 'cli'),
  )
}

async function indexFolders(
  context: CommandContext,
  folders: readonly string[],
  options: IndexCommandOptions & { readonly float32?: boolean },
  namesModel: boolean,
): Promise<void> {
  const { files, signal } = context
  for (const folder of folders)
    if ((await files.look(folder))?.kind !== 'folder')
      throw new UsageError(`${folder} is no folder: a collection is made of folders of photos.`)
  using progress = new Progress({ ...terminal(context), json: options.json ?? false, total: undefined })
  const { collection, encoder } = await openOrCreate(context, options, namesModel)
  await using _opened = collection
  await using _loaded = encoder
  const { indexFolders } = await import('../../platform/node/collection/index-folders.js')
  try {
    const counts = await indexFolders(
      collection,
      folders.map((folder) => files.resolve(folder)),
      encoder,
      {
        ...(options.maxPixels === undefined ? {} : { maxPixels: options.maxPixels }),
        retryFailed: options.retryFailed ?? false,
        prune: options.prune ?? false,
        signal,
        listener: {
          done: () => progress.done(),
          failed: ({ path, reason }) => progress.failed(path, reason),
          encoding: ({ seconds }) => progress.spent(seconds),
        },
      },
    )
    const total = await collection.store.count()
    progress.finish(summary(options.to, total, counts), { ...counts, total })
    const left = Object.entries(counts.leftOut).map(([kind, count]) => `${count} ${kind}`)
    if (left.length > 0) progress.notice(`left out: ${left.join(', ')}`)
    if (counts.failed + counts.unseen > 0)
      throw new IncompleteError(`${counts.failed + counts.unseen} could not be read; their rows say why.`)
  } catch (error) {
    if (!signal.aborted) throw error
    throw new InterruptedError(
      `Interrupted. What was finished is in ${options.to}: run the same command again to go on from there.`,
    )
  }
}

function summary(to: string, total: number, counts: IndexCounts): string {
  const parts = (['added', 'changed', 'moved', 'linked', 'gone', 'failed', 'unchanged'] as const)
    .filter((name) => counts[name] > 0)
    .map((name) => `${counts[name]} ${name}`)
  return `${to} has ${total} photos: ${parts.join(', ')}`
}

/** A collection knows the model that it was made with; another one can only be named for a new collection. */
async function openOrCreate(
  context: CommandContext,
  options: IndexCommandOptions & { readonly float32?: boolean },
  namesModel: boolean,
): Promise<{ readonly collection: Collection; readonly encoder: FileEncoder }> {
  const { files, signal, collections } = context
  const folder = files.resolve(options.to)
  const onWait = (message: string) => void context.stderr.write(`${message}\n`)
  const isThere = (await files.look(`${folder}/collection.json`)) !== null
  if (isThere) {
    const collection = await collections.open(folder, { write: true, signal, onWait })
    try {
      const encoder = namesModel
        ? await loadChosenEncoder(context, options)
        : await loadEncoderOf(context, collection, { ...options, model: undefined })
      collection.assertSame(encoder.identity)
      return { collection, encoder }
    } catch (error) {
      await collection[Symbol.asyncDispose]()
      throw error
    }
  }
  const encoder = await loadChosenEncoder(context, options)
  try {
    const { identity, embeddingWidth: width } = encoder
    const model = modelOf(options, identity)
    const dtype = options.float32 ? 'float32' : 'float16'
    const collection = await collections.create(folder, { identity, width, model, dtype }, { signal, onWait })
    return { collection, encoder }
  } catch (error) {
    await encoder[Symbol.asyncDispose]()
    throw error
  }
}
