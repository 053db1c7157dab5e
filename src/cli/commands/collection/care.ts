/** `plumage collection info|check|compact|root|remove` look after a collection: what it holds, whether all is well, where its photos lie. */

import { Command } from 'commander'
import type { CollectionProblem } from '../../../collection/check-collection.js'
import type { Collection } from '../../../collection/collection.js'
import type { CollectionColumn } from '../../../collection/columns.js'
import { rowsOf } from '../../../collection/row-block.js'
import { shownPlace } from '../../../is-address.js'
import { IncompleteError, UsageError } from '../../cli-error.js'
import { addCollectionOption, collectionPlace } from '../../collection-option.js'
import type { CommandContext } from '../../context.js'
import { counted } from '../../counted.js'
import { printable } from '../../progress.js'

interface CollectionCommandOptions {
  readonly in: string
  readonly json?: boolean
}

export function careCommands(context: CommandContext): readonly Command[] {
  const command = new Command()
  const add = (usage: string, description: string) =>
    addCollectionOption(command.command(usage), '--in <collection>', 'the collection')
      .description(description)
      .option('--json', 'as JSON')
      .allowExcessArguments()
      .hook('preAction', (_, { args, registeredArguments }) => {
        const excess = args[registeredArguments.length]
        if (excess !== undefined)
          throw new UsageError(
            `${excess} is one word too many. The collection is named by --in: --in ${excess}`,
          )
      })
  add('info', 'say what a collection holds, and how it lies on the disk').action(
    (options: CollectionCommandOptions) => info(context, options),
  )
  add('check', 'find out whether all is as it should be; ends with 1 where it is not')
    .option('--deep', 'read every photo, and compare its content')
    .action((options: CollectionCommandOptions & { deep?: boolean }) => check(context, options))
  add('compact', 'put together what came in small pieces, and give back what nobody reads any more')
    .option('--rewrite', 'copy all rows into a fresh table, which takes the place of the old one')
    .action((options: CollectionCommandOptions & { rewrite?: boolean }) => compact(context, options))
  add('root', 'say where the photos of a root lie by now; none is read')
    .argument('<name>', 'the root, as `collection info` names it')
    .argument('<folder>', 'the folder that has its photos now')
    .option('--force', 'also where none of its photos is found there')
    .action((name: string, folder: string, options: CollectionCommandOptions & { force?: boolean }) =>
      moveRoot(context, name, folder, options),
    )
  command
    .command('remove')
    .description('remove a collection; the photos stay where they are')
    .argument('<collection>', 'its folder, or its address in PostgreSQL')
    .option('-y, --yes', 'yes, remove it')
    .action((folder: string, options: { yes?: boolean }) => remove(context, folder, options))
  return command.commands
}

async function open(context: CommandContext, folder: string, write = false): Promise<Collection> {
  const { files, signal, collections, stderr } = context
  const onWait = (message: string) => void stderr.write(`${message}\n`)
  return await collections.open(collectionPlace(files, folder), { write, signal, onWait })
}

async function info(context: CommandContext, options: CollectionCommandOptions): Promise<void> {
  const { stdout } = context
  await using collection = await open(context, options.in)
  const { about } = collection
  const counts = await countRows(collection)
  const facts = await collection.store.facts()
  // This very reading is none of the readers that are told.
  const readers = Math.max(0, facts.readers - 1)
  const told = {
    collection: shownPlace(options.in),
    photos: Object.values(counts.states).reduce((sum, count) => sum + count, 0),
    ...counts,
    model: about.model,
    identity: about.identity.digest,
    embeddings: { width: about.width, dtype: about.dtype },
    columns: collection.columns,
    waitingChanges: collection.waiting,
    ...facts,
    readers,
  }
  if (options.json) {
    stdout.write(`${JSON.stringify(told)}\n`)
    return
  }
  const megabytes = Object.entries(facts.bytes).map(
    ([what, bytes]) => `${what} ${(bytes / 1e6).toFixed(1)} MB`,
  )
  const lines: [string, string][] = [
    ['photos', `${told.photos}: ${listOf(counts.states)}`],
    ...Object.entries(about.roots).map(
      ([root, folder]) =>
        ['root', `${root}, ${counted(counts.roots[root] ?? 0, 'photo')}: ${folder}`] as [string, string],
    ),
    ['model', `${about.model.source} ${JSON.stringify(about.model.options)}`],
    ['identity', about.identity.digest],
    ['embeddings', `${about.width} numbers in ${about.dtype}`],
    ['own columns', about.columns.map(describeColumn).join(', ') || 'none'],
    ['on disk', megabytes.join(', ')],
    [
      'table',
      `${counted(facts.fragments, 'piece')}, ${counted(facts.versions, 'version')}; ${counted(collection.waiting, 'change')} waiting; ${counted(readers, 'other reader')}`,
    ],
    ['index', facts.indices.join(', ') || 'none: search is exact'],
  ]
  for (const [name, text] of lines) stdout.write(`${name.padEnd(12)} ${printable(text)}\n`)
}

function describeColumn({ name, type, title }: CollectionColumn): string {
  return `${name} (${type}${title === undefined || title === name ? '' : `, of ${JSON.stringify(title)}`})`
}

async function countRows(collection: Collection) {
  const states: Record<string, number> = {}
  const roots: Record<string, number> = Object.fromEntries(
    Object.keys(collection.about.roots).map((root) => [root, 0]),
  )
  for await (const block of collection.scan({ columns: ['state', 'root'] }))
    for (const { state, root } of rowsOf(block)) {
      states[String(state)] = (states[String(state)] ?? 0) + 1
      roots[String(root)] = (roots[String(root)] ?? 0) + 1
    }
  const sorted = Object.fromEntries(Object.entries(states).sort(([a], [b]) => (a < b ? -1 : 1)))
  return { states: sorted, roots }
}

function listOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}

async function check(
  context: CommandContext,
  options: CollectionCommandOptions & { readonly deep?: boolean },
): Promise<void> {
  const { signal, stdout } = context
  await using collection = await open(context, options.in)
  const { checkPhotos } = await import('../../../platform/node/collection/care-for.js')
  const counts: Record<string, number> = {}
  let rows = 0
  const onProgress = (count: number) => {
    rows = count
  }
  for await (const found of checkPhotos(collection, { deep: options.deep ?? false, signal, onProgress })) {
    counts[found.kind] = (counts[found.kind] ?? 0) + 1
    stdout.write(options.json ? `${JSON.stringify(found)}\n` : lineOf(found))
  }
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  if (total > 0)
    throw new IncompleteError(`${shownPlace(options.in)} has ${total} problems: ${listOf(counts)}.`)
  stdout.write(
    options.json
      ? `${JSON.stringify({ rows, problems: 0 })}\n`
      : `${counted(rows, 'row')} ${rows === 1 ? 'is as it' : 'are as they'} should be.\n`,
  )
}

function lineOf({ kind, place, problem }: CollectionProblem): string {
  return `${kind}  ${printable(place)}: ${printable(problem)}\n`
}

async function compact(
  context: CommandContext,
  options: CollectionCommandOptions & { readonly rewrite?: boolean },
): Promise<void> {
  const { signal, stdout } = context
  await using collection = await open(context, options.in, true)
  const sizeOf = async () =>
    Object.values((await collection.store.facts()).bytes).reduce((sum, bytes) => sum + bytes, 0)
  const before = await sizeOf()
  const choice = { rewrite: options.rewrite ?? false, signal }
  const { readers } = await collection.compact(choice)
  const { openRegionsOrNull } = await import('../../../platform/node/collection/index-regions.js')
  await using regions = await openRegionsOrNull(collection, { write: true, signal })
  await regions?.compact(choice)
  const after = await sizeOf()
  if (options.json) {
    stdout.write(`${JSON.stringify({ before, after, readers })}\n`)
    return
  }
  const kept = readers === 0 ? '' : `; versions were kept for ${readers} who read it now`
  stdout.write(
    `${shownPlace(options.in)}: ${(before / 1e6).toFixed(1)} MB before, ${(after / 1e6).toFixed(1)} MB now${kept}\n`,
  )
}

async function moveRoot(
  context: CommandContext,
  name: string,
  folder: string,
  options: CollectionCommandOptions & { readonly force?: boolean },
): Promise<void> {
  const { files, signal, stdout } = context
  await using collection = await open(context, options.in, true)
  const { moveCollectionRoot } = await import('../../../platform/node/collection/care-for.js')
  const target = files.resolve(folder)
  const match = await moveCollectionRoot(collection, name, target, { force: options.force ?? false, signal })
  if (options.json) {
    stdout.write(`${JSON.stringify({ root: name, folder: target, ...match })}\n`)
    return
  }
  const { looked, same, copied, different, absent } = match
  const others = listOf(
    Object.fromEntries(
      Object.entries({ 'with another time': copied, 'of another size': different, absent }).filter(
        ([, n]) => n > 0,
      ),
    ),
  )
  stdout.write(
    `${name} is ${printable(target)} now. Of ${looked} photos that were looked for ${same} are there as they were${others === '' ? '' : `, ${others}`}.\n`,
  )
}

async function remove(
  context: CommandContext,
  folder: string,
  { yes }: { readonly yes?: boolean },
): Promise<void> {
  const place = collectionPlace(context.files, folder)
  const name = shownPlace(folder)
  if (yes !== true) {
    await using collection = await open(context, folder)
    const count = await collection.store.count()
    throw new UsageError(
      `${name} has ${counted(count, 'photo')}, with all that was said of them. The photos themselves stay. Add --yes to remove it.`,
    )
  }
  const { removeCollection } = await import('../../../platform/node/collection/care-for.js')
  const kept = await removeCollection(place)
  const left = kept.length === 0 ? '' : ` What is none of its files stays: ${printable(kept.join(', '))}.`
  context.stdout.write(`${name} is removed; the photos are where they were.${left}\n`)
}
