/** `plumage index` makes a collection of the photos in folders and buckets, or brings it up to date. */

import { Command } from 'commander'
import type { Collection } from '../../collection/collection.js'
import type { IndexCounts } from '../../collection/index-photos.js'
import { given } from '../../encoder/choose-recipe.js'
import { shownPlace } from '../../is-address.js'
import { namedPlace, shownName } from '../../platform/node/storage/named-place.js'
import type { FileEncoder } from '../../work/file-encoder.js'
import { meantBeside } from '../../work/meant-beside.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import { addCollectionOption, collectionPlace, loadEncoderOf, modelOf } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import { counted } from '../counted.js'
import {
  EVERY_SECONDS,
  everyOption,
  type FrameOptions,
  frameOptionsOf,
  toneMapOption,
} from '../film-inputs.js'
import { leftOutNoticeOrNull } from '../left-out-notice.js'
import { loadChosenEncoder } from '../load-chosen-encoder.js'
import { addImageOptions, addModelOption, type ModelOptions } from '../model-options.js'
import { Progress, printable } from '../progress.js'
import { terminal } from '../run-resumably.js'

interface IndexCommandOptions extends ModelOptions, Pick<FrameOptions, 'every' | 'toneMap'> {
  /** Takes films as well. */
  readonly video?: boolean
  readonly to: string
  readonly dtype?: 'float16' | 'float32'
  readonly retryFailed?: boolean
  readonly prune?: boolean
  /** Is a table of what people know of their photos. */
  readonly columns?: string
  readonly watch?: boolean
  /** Is what stands after it too, which may be the first of the folders. */
  readonly regions?: boolean | string
}

export function indexCommand(context: CommandContext): Command {
  // One of them is needed, which may stand right after `--regions`.
  const command = new Command('index')
    .argument(
      '[folders...]',
      'folders of photos, s3://bucket/prefix, az://container/prefix or gs://bucket/prefix',
    )
    .usage('[options] <folders...>')
  addImageOptions(addModelOption(addCollectionOption(command, '--to <collection>', 'the collection')))
    .option('--float32', 'keep embeddings in float32 rather than float16')
    .option('--retry-failed', 'try photos again that could not be read and have not changed since')
    .option(
      '--regions [full]',
      'make regions of each photo, by which search --box and --point find places in photos; full keeps all their patches too (23 kB a photo at 224 pixels), which say where',
    )
    .option('--prune', 'forget photos that are not there any more')
    .option('--video', 'take films as well: a frame each second, each with a row')
    .addOption(everyOption())
    .addOption(toneMapOption())
    .option(
      '--columns <csv>',
      'a table, at a path or an address, of what you know of the photos, with a column path or content',
    )
    .option('--watch', 'go on, and bring the collection up to date whenever something changes')
    .option('--json', 'progress as JSON lines on stderr')
  return command.action(
    (folders: string[], options: IndexCommandOptions & { float32?: boolean }, self: Command) => {
      const { regions } = options
      // What follows `--regions` may be the first folder.
      const isFolder = typeof regions === 'string' && regions !== 'full'
      return indexFolders(
        context,
        isFolder ? [regions, ...folders] : folders,
        isFolder ? { ...options, regions: true } : options,
        self.getOptionValueSource('model') === 'cli',
      )
    },
  )
}

async function indexFolders(
  context: CommandContext,
  folders: readonly string[],
  options: IndexCommandOptions & { readonly float32?: boolean },
  namesModel: boolean,
): Promise<void> {
  const { signal } = context
  if (folders.length === 0)
    throw new UsageError('missing folders: name those with the photos, plumage index <folders...>.')
  await assertFolders(context, folders, options)
  if (!options.video && (options.every !== undefined || options.toneMap !== undefined))
    throw new UsageError('--every and --tone-map are for films, which --video takes: add it.')
  const table = options.columns === undefined ? null : await textOf(context, options.columns)
  const { collection, encoder } = await openOrCreate(context, options, namesModel)
  await using _loaded = encoder
  if (options.watch) {
    await collection[Symbol.asyncDispose]()
    return await watchFolders(context, folders, options, encoder, table)
  }
  await using _opened = collection
  const unread = await indexOnce(context, folders, options, { collection, encoder }, table)
  if (unread > 0 && !signal.aborted)
    throw new IncompleteError(`${unread} could not be read, for the reasons above.`)
}

async function assertFolders(
  { files }: CommandContext,
  folders: readonly string[],
  { video, watch }: IndexCommandOptions,
): Promise<void> {
  for (const folder of folders) {
    const { kind } = namedPlace(files.resolve(folder))
    if (kind === 'web')
      throw new UsageError(
        `${shownName(folder)} cannot be looked through: a web server does not tell what it has. Photos of a list of addresses are embedded by a job, which makes collections of them: plumage job create, and plumage job finish.`,
      )
    if (kind === 'object' && (video || watch))
      throw new UsageError(
        `${folder} lies in a bucket: ${video ? 'films are taken (--video)' : 'changes are waited for (--watch)'} in folders of this machine alone.`,
      )
    const found = await files.look(folder)
    if (found?.kind === 'folder') continue
    if (kind === 'object')
      throw new UsageError(
        `There is no object below ${folder}: name a bucket, or what keys begin with up to a slash.`,
      )
    if (found !== null)
      throw new UsageError(
        `${folder} is a file: a collection is made of folders of photos. Name the folder that it lies in.`,
      )
    const meant = await meantBeside(files, folder, ({ kind }) => kind === 'folder')
    throw new UsageError(
      `There is no folder ${folder}.${meant} Where a disk is not connected, connect it; where its photos lie elsewhere now, ` +
        'say where: plumage collection root <name> <folder> (plumage collection info names the roots).',
    )
  }
}

async function textOf({ files }: CommandContext, path: string): Promise<string> {
  const text = await files.readText(path)
  if (text === null) throw new UsageError(`There is no file ${path} with columns.`)
  const { assertUserTable } = await import('../../collection/user-columns.js')
  assertUserTable(text)
  return text
}

interface Opened {
  readonly collection: Collection
  readonly encoder: FileEncoder
}

const FILMS = 'Films are taken with --video, a frame of each second unless --every says otherwise.'

/** Gives the number of photos that could not be read. */
async function indexOnce(
  context: CommandContext,
  folders: readonly string[],
  options: IndexCommandOptions,
  { collection, encoder }: Opened,
  table: string | null,
): Promise<number> {
  const { files, signal, heicAdvice } = context
  using progress = new Progress({ ...terminal(context), json: options.json ?? false, total: undefined })
  const { indexFolders } = await import('../../platform/node/collection/index-folders.js')
  try {
    const counts = await indexFolders(
      collection,
      folders.map((folder) => files.resolve(folder)),
      encoder,
      {
        ...(options.maxPixels === undefined ? {} : { maxPixels: options.maxPixels }),
        ...(options.video
          ? {
              video: frameOptionsOf({
                every: options.every ?? EVERY_SECONDS,
                ...given({ toneMap: options.toneMap }),
              }),
            }
          : {}),
        retryFailed: options.retryFailed ?? false,
        prune: options.prune ?? false,
        regions: options.regions === 'full' ? 'full' : options.regions !== undefined,
        signal,
        listener: {
          done: () => progress.done(),
          failed: ({ path, reason }) => progress.failed(path, reason),
          encoding: ({ seconds }) => progress.spent(seconds),
          measured: ({ photos, left }) => {
            if (photos > 0)
              progress.notice(
                `${counted(photos, 'photo')} measured anew, since pixels were digested by another rule`,
              )
            if (left > 0)
              progress.notice(
                `${counted(left, 'photo')} could not be read to be measured anew: connect their disks, and run the same again`,
              )
          },
          indexed: ({ recall, probes, of }) =>
            progress.notice(
              `the index finds ${(100 * recall).toFixed(1)} % of the ten nearest, ${of === 'parts' ? `looking into ${probes} of its parts` : `keeping ${probes} candidates on the way`}`,
            ),
        },
      },
    )
    if (table !== null) await takeColumns(context, collection, options, table, progress)
    if (options.regions === 'full') await tellPatches(collection, progress)
    const total = await collection.store.count()
    progress.finish(summary(shownPlace(options.to), total, counts), { ...counts, total })
    // Where nobody watches, a log still has what was done.
    if (!context.isTTY && !options.json)
      context.stdout.write(`${summary(shownPlace(options.to), total, counts)}\n`)
    if (counts.stillFailed > 0)
      progress.notice(
        `${counts.stillFailed} could not be read before and have not changed since (--retry-failed tries them again)`,
      )
    const left = leftOutNoticeOrNull(counts.leftOut, { heicAdvice, films: FILMS })
    if (left !== null) progress.notice(left)
    return counts.failed + counts.unseen
  } catch (error) {
    if (!signal.aborted) throw error
    throw new InterruptedError(
      `Interrupted. What was finished is in ${shownPlace(options.to)}: run the same command again to go on from there.`,
    )
  }
}

/** Says how much of what differs between patches is kept. */
async function tellPatches(collection: Collection, progress: Progress): Promise<void> {
  const { openRegionsOrNull } = await import('../../platform/node/collection/index-regions.js')
  const { patchBasisOf } = await import('../../collection/regions/search-regions.js')
  await using regions = await openRegionsOrNull(collection, {})
  const basis = regions === null ? null : await patchBasisOf(regions)
  if (basis === null) return
  const components = basis.components.length / basis.mean.length
  progress.notice(
    `patches are kept as ${components} components, which hold ${(100 * basis.kept).toFixed(0)} % of what differs between them`,
  )
}

/** So many lines of a table that fit no photo are named. */
const MOST_UNMATCHED = 5

async function takeColumns(
  { signal }: CommandContext,
  collection: Collection,
  { columns: file }: IndexCommandOptions,
  table: string,
  progress: Progress,
): Promise<void> {
  const { addUserColumns } = await import('../../collection/user-columns.js')
  const { columns, photos, unmatched } = await addUserColumns(collection, table, { signal })
  const names = columns.map(
    ({ name, type, title }) => `${name} (${type}${title === name ? '' : `, of ${JSON.stringify(title)}`})`,
  )
  progress.notice(printable(`${file}: ${counted(photos, 'photo')} with ${names.join(', ')}`))
  if (unmatched.length === 0) return
  const shown = unmatched.slice(0, MOST_UNMATCHED).map((key) => JSON.stringify(key))
  progress.notice(
    printable(
      `${file}: ${unmatched.length} lines fit no photo, or several: ${shown.join(', ')}${unmatched.length > shown.length ? ', …' : ''}`,
    ),
  )
}

/** Brings the collection up to date whenever something changes, and holds it only meanwhile, so that others can label and clean up. */
async function watchFolders(
  context: CommandContext,
  folders: readonly string[],
  options: IndexCommandOptions,
  encoder: FileEncoder,
  table: string | null,
): Promise<void> {
  const { files, signal, stderr, collections } = context
  const to = collectionPlace(files, options.to)
  const { FolderWatch } = await import('../../platform/node/collection/folder-watch.js')
  const say = (text: string) =>
    void stderr.write(options.json ? `${JSON.stringify({ event: 'notice', notice: text })}\n` : `${text}\n`)
  using watch = new FolderWatch(
    folders.map((folder) => files.resolve(folder)),
    {
      // The collection may lie in a folder that it is of.
      ignores: (path) => path.startsWith(to),
      onUnwatched: (folder, reason) =>
        say(`${printable(folder)} is only looked through every ten minutes: ${printable(reason)}`),
    },
  )
  do {
    try {
      await using collection = await collections.open(to, { write: true, signal })
      await indexOnce(context, folders, options, { collection, encoder }, table)
    } catch (error) {
      if (signal.aborted) throw error
      // A disk that is taken away comes back, a server that was stopped starts again, and who holds the collection lets it go.
      const { code, message } = error as { readonly code?: unknown; readonly message: string }
      if (code !== 'root-missing' && code !== 'locked' && code !== 'unreachable') throw error
      say(message)
    }
    say(`watching ${folders.map(printable).join(', ')}`)
  } while (await watch.next(signal))
}

function summary(to: string, total: number, counts: IndexCounts): string {
  const parts = (['added', 'changed', 'moved', 'retold', 'linked', 'gone', 'failed', 'unchanged'] as const)
    .filter((name) => counts[name] > 0)
    .map((name) => `${counts[name]} ${name}`)
  return `${to} has ${counted(total, 'photo')}: ${parts.join(', ')}`
}

/** A collection knows the model that it was made with; another one can only be named for a new collection. */
async function openOrCreate(
  context: CommandContext,
  options: IndexCommandOptions & { readonly float32?: boolean },
  namesModel: boolean,
): Promise<Opened> {
  const { files, signal, collections } = context
  const place = collectionPlace(files, options.to)
  const onWait = (message: string) => void context.stderr.write(`${message}\n`)
  if (await collections.has(place)) {
    const collection = await collections.open(place, { write: true, signal, onWait })
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
    const collection = await collections.create(place, { identity, width, model, dtype }, { signal, onWait })
    return { collection, encoder }
  } catch (error) {
    await encoder[Symbol.asyncDispose]()
    throw error
  }
}
