/** `plumage label` gives the photos of a collection labels, proposes them, and trains a head on them. */

import { Command, InvalidArgumentError, Option } from 'commander'
import type { Collection } from '../../collection/collection.js'
import type { LabelToGive } from '../../collection/labels/give-labels.js'
import { given } from '../../encoder/choose-recipe.js'
import { shownPlace } from '../../is-address.js'
import { outputTarget } from '../../platform/node/files/output-target.js'
import { shownName } from '../../platform/node/storage/named-place.js'
import { UsageError } from '../cli-error.js'
import { addCollectionOption, collectionPlace, DEFAULT_COLLECTION } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import { counted } from '../counted.js'
import { reportJson, reportLines } from '../label-report.js'
import { localCopyOf } from '../local-copy.js'
import { positiveInteger } from '../model-options.js'
import { Progress, printable } from '../progress.js'
import { terminal } from '../run-resumably.js'

interface LabelOptions {
  readonly from?: string
  readonly set?: string
  readonly clear?: boolean
  readonly new?: boolean
  readonly in: string
  readonly column: string
  readonly suggest?: number | true
  readonly train?: string
  readonly confusion?: string
  readonly folds: number
  readonly shuffle?: number
  readonly neighbours?: number
  readonly temperature?: number
  readonly fewShot: boolean
  readonly json?: boolean
}

export function labelCommand(context: CommandContext): Command {
  const command = new Command('label').argument(
    '[photos...]',
    'photos for --set and --clear: root/path, paths, ids or names of files',
  )
  return addCollectionOption(command, '--in <collection>', 'the collection')
    .option(
      '--from <source>',
      'folders (the folder that each photo lies in), or a CSV file with the columns path and label, at a path or an address',
    )
    .option('--set <label>', 'give these photos this label')
    .option('--clear', 'take the labels of these photos away')
    .option('--new', 'let --set and --from bring names that no photo has yet')
    .option('--column <name>', 'the column that labels are in', 'label')
    .option(
      '--suggest [n]',
      'propose labels for the others, and ask for the n most useful ones (default: 10)',
      positiveInteger,
    )
    .option(
      '--train <file>',
      'train a head on the labels, as a safetensors file or object (s3:, az:, gs:), and say how good it is',
    )
    .option(
      '--confusion <file>',
      'with --train: what was taken for what, as a picture (PNG, JPEG, WebP; s3:, az:, gs: as well)',
    )
    .option('--folds <n>', 'folds of the cross-validation', positiveInteger, 5)
    .option('--shuffle <seed>', 'shuffle photos before they are dealt out to folds', wholeNumber)
    .option('--neighbours <n>', 'neighbours that vote (default: 20)', positiveInteger)
    .option('--temperature <t>', 'temperature of their votes (default: 0.07)', positiveNumber)
    .addOption(new Option('--no-few-shot', 'leave the few-shot curve out'))
    .option('--json', 'what is found as JSON, and progress as JSON lines on stderr')
    .action((photos: string[], options: LabelOptions) => label(context, photos, options))
}

async function label(
  context: CommandContext,
  photos: readonly string[],
  options: LabelOptions,
): Promise<void> {
  const name = options.in
  checkWanted(photos, options)
  const { files, signal, collections } = context
  const writes = options.from !== undefined || photos.length > 0
  const onWait = (message: string) => void context.stderr.write(`${message}\n`)
  await using collection = await collections.open(collectionPlace(files, name), {
    write: writes,
    signal,
    onWait,
  })
  if (writes) await give(context, collection, photos, options)
  if (options.suggest !== undefined) await suggest(context, collection, name, options)
  if (options.train !== undefined) await train(context, collection, options.train, options)
  if (!writes && options.suggest === undefined && options.train === undefined)
    await list(context, collection, options)
}

function checkWanted(photos: readonly string[], { from, set, clear, train, confusion }: LabelOptions): void {
  const byHand = set !== undefined || clear === true
  if (set !== undefined && clear)
    throw new UsageError('--set gives a label and --clear takes it away: name one of them.')
  if (byHand && photos.length === 0)
    throw new UsageError('Name the photos that are meant: plumage label a.jpg b.jpg --set cat.')
  if (!byHand && photos.length > 0)
    throw new UsageError(`Say what becomes of ${photos[0]}: --set LABEL, or --clear.`)
  if (byHand && from !== undefined)
    throw new UsageError('--from labels by itself: leave out --set, --clear and photos.')
  if (confusion !== undefined && train === undefined)
    throw new UsageError('--confusion shows how good a head is: add --train head.safetensors.')
}

async function give(
  context: CommandContext,
  collection: Collection,
  photos: readonly string[],
  options: LabelOptions,
): Promise<void> {
  const { giveLabels, labelFromFolders } = await import('../../collection/labels/give-labels.js')
  const { from, set, column } = options
  const { signal } = context
  const choice = { column, signal, ...given({ newLabels: options.new }) }
  let found: Awaited<ReturnType<typeof giveLabels>>
  if (from === 'folders') found = await labelFromFolders(collection, { column, signal })
  else if (from !== undefined)
    found = await giveLabels(collection, await labelsOfCsv(context, from), { ...choice, newLabels: true })
  else {
    const one = options.clear ? null : (set ?? null)
    const named = photos.map((photo) => ({ photo: photoName(context, photo), label: one }))
    found = await giveLabels(collection, named, choice)
  }
  await collection.fold({ signal })
  const { changed, unchanged, labels, unread } = found
  if (options.json) return void context.stdout.write(`${JSON.stringify(found)}\n`)
  const counts = Object.entries(labels).map(([name, count]) => `${printable(name)} ${count}`)
  if (unread > 0) counts.push(`${unread} more that could not be read`)
  context.stdout.write(
    `${counted(changed, 'label')} changed, ${unchanged} as they were: ${counts.join(', ') || 'none left'}\n`,
  )
}

/** A path that leads to a file from here is meant as that file. */
function photoName({ files }: CommandContext, photo: string): string {
  return photo.startsWith('.') ? files.resolve(photo) : photo
}

async function labelsOfCsv(context: CommandContext, name: string): Promise<readonly LabelToGive[]> {
  const { files, signal } = context
  const path = shownName(name)
  if (!/\.csv$/i.test(path))
    throw new UsageError(`--from takes folders, or the name of a CSV file that ends in .csv; found ${path}.`)
  if ((await files.look(name))?.kind !== 'file') throw new UsageError(`There is no file ${path}.`)
  await using copy = await localCopyOf(context, name)
  const { csvRecords } = await import('../../platform/node/collection/csv-records.js')
  const labels: LabelToGive[] = []
  const records = csvRecords(copy.path, signal)
  for await (const record of asUsage(records, path)) {
    if ('reason' in record) throw new UsageError(`${path}, line ${record.line}: ${record.reason}`)
    const { path: photo, label } = record.fields
    if (photo === undefined || label === undefined)
      throw new UsageError(
        `${path} has the columns ${Object.keys(record.fields).join(', ')}; path and label are needed.`,
      )
    labels.push({ photo, label: label === '' ? null : label })
  }
  if (labels.length === 0) throw new UsageError(`${path} has no records below its line of names.`)
  return labels
}

async function* asUsage<Item>(items: AsyncIterable<Item>, path: string): AsyncGenerator<Item> {
  try {
    yield* items
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(`${path}: ${error.message}`) : error
  }
}

async function list(
  { stdout, signal }: CommandContext,
  collection: Collection,
  { column, json }: LabelOptions,
): Promise<void> {
  const { labelsOf } = await import('../../collection/labels/give-labels.js')
  const counts = new Map<string, number>()
  const photos = await labelsOf(collection, { column, signal })
  const read = photos.filter((photo) => !photo.unread)
  for (const { label } of read) if (label !== null) counts.set(label, (counts.get(label) ?? 0) + 1)
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  const without = read.filter(({ label }) => label === null).length
  const unread = photos.length - read.length
  if (json)
    return void stdout.write(
      `${JSON.stringify({ labels: Object.fromEntries(sorted), unlabelled: without, unread })}\n`,
    )
  const lines = [
    ...sorted.map(([name, count]) => `${printable(name)}  ${count}`),
    `without a label  ${without}`,
    ...(unread > 0 ? [`could not be read  ${unread}`] : []),
  ]
  stdout.write(`${lines.join('\n')}\n`)
}

async function suggest(
  { stdout, signal }: CommandContext,
  collection: Collection,
  name: string,
  { column, suggest: wanted, json }: LabelOptions,
): Promise<void> {
  const { suggestLabels } = await import('../../collection/labels/suggest-labels.js')
  const next = wanted === true || wanted === undefined ? 10 : wanted
  const found = await suggestLabels(collection, { column, next, signal })
  if (json) return void stdout.write(`${JSON.stringify(found)}\n`)
  const line = ({ name: photo, label, confidence }: (typeof found.next)[number]) =>
    `${(100 * confidence).toFixed(1).padStart(5)} %  ${printable(label)}  ${printable(photo)}\n`
  if (found.suggestions.length === 0)
    return void stdout.write('Each photo has a label: there is none to propose one for.\n')
  for (const one of found.suggestions) stdout.write(line(one))
  if (!found.isCalibrated)
    stdout.write(
      'A class has but one photo, so how sure this is could not be tried: the shares are too sure or too unsure.\n',
    )
  if (found.next.length === 0) return
  stdout.write(
    `Labels of these would teach most (plumage label PHOTOS --set LABEL${name === DEFAULT_COLLECTION ? '' : ` --in ${printable(shownPlace(name))}`}):\n`,
  )
  for (const one of found.next) stdout.write(line(one))
}

async function train(
  context: CommandContext,
  collection: Collection,
  path: string,
  options: LabelOptions,
): Promise<void> {
  const { files, pictures, stdout, signal } = context
  const { column, folds, shuffle: seed, neighbours, temperature, fewShot, json, confusion } = options
  if (!/\.safetensors$/i.test(path))
    throw new UsageError(`A head is a safetensors file: end its name in .safetensors; found ${path}.`)
  const { formatOfNameOrNull } = await import('../../platform/node/picture/picture-formats.js')
  const format = confusion === undefined ? null : formatOfNameOrNull(confusion)
  if (confusion !== undefined && format === null)
    throw new UsageError(`--confusion is a picture: end its name in .png, .jpg or .webp; found ${confusion}.`)
  // What cannot be written is told before the work.
  await outputTarget(files.resolve(path))
  if (confusion !== undefined) await pictures.assertTakes(files.resolve(confusion), { replace: false })
  const { headFile, trainHead } = await import('../../collection/labels/train-head.js')
  using progress = new Progress({ ...terminal(context), json: json ?? false, total: undefined })
  const report = await trainHead(collection, {
    column,
    folds,
    fewShot,
    ...given({ seed, neighbours, voteTemperature: temperature, signal }),
    onProgress: (what, done, most) => progress.phase(`${what} ${done} of at most ${most}`),
  })
  progress.clear()
  const { names, copies } = report.labelled
  await files.write(path, [headFile(report.head)])
  if (confusion !== undefined && format !== null) {
    const { drawConfusion } = await import('../../picture/draw/draw-confusion.js')
    const image = drawConfusion(report.probe.confusion, names)
    await files.write(confusion, [
      await pictures.encode(image, format, 'plumage label: confusion of a linear probe'),
    ])
  }
  if (json) stdout.write(`${JSON.stringify(reportJson(report, names, copies))}\n`)
  else stdout.write(`${[...reportLines(report, names, copies), `${path} is written`].join('\n')}\n`)
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  throw new InvalidArgumentError(`Expected a whole number such as 1; found ${text}.`)
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError(`Expected a number above 0 such as 0.07; found ${text}.`)
}
