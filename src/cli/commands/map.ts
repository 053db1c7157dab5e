/** `plumage map` makes a map of a collection, on which photos lie near each other that are alike: a page, a picture, or SVG. */
import { Command, InvalidArgumentError } from 'commander'
import { atOnce } from '../../at-once.js'
import type { Collection } from '../../collection/collection.js'
import type { PhotoMap } from '../../collection/map-photos.js'
import type { Row } from '../../collection/row-block.js'
import { shortDigest } from '../../encoder/short-digest.js'
import type { MapView } from '../../picture/map/map-view.js'
import { formatOfNameOrNull, type PictureFormat } from '../../platform/node/picture/picture-formats.js'
import { asOutputError } from '../../work/output-error.js'
import { UsageError } from '../cli-error.js'
import { addCollectionOption, collectionPlace } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import { counted } from '../counted.js'
import { positiveInteger } from '../model-options.js'
import { Progress } from '../progress.js'
import { fileOf, prepareOutput, terminal } from '../run-resumably.js'
import { wholeNumber } from '../whole-number.js'

interface MapOptions {
  readonly in: string
  readonly output: string
  readonly rebuild?: boolean
  readonly neighbours?: number
  readonly minDistance?: number
  readonly color?: string
  readonly previews: number
  readonly seed?: number
  readonly restart?: boolean
  readonly json?: boolean
}

type MapFormat = 'html' | 'svg' | PictureFormat

/** Previews take about so many bytes each at most, and decoding them takes longest. */
const PREVIEW = { side: 192, mostBytes: 9000 }
const PREVIEWS = 1000
/** So many photos are read at once. */
const AT_ONCE = 4
/** Where a column holds more values than these, the rarest are shown as none. */
const MOST_GROUPS = 40

export function mapCommand(context: CommandContext): Command {
  return addCollectionOption(new Command('map'), '--in <collection>', 'the collection')
    .requiredOption(
      '-o, --output <file>',
      'a page (.html), a picture (.png, .jpg, .webp) or .svg; s3://bucket/key, az://container/key and gs://bucket/key as well',
    )
    .option('--rebuild', 'make the map anew, turned to fit the one before (default: new photos are placed)')
    .option(
      '--neighbours <n>',
      'photos that each is held near to, itself with them (default: 15)',
      positiveInteger,
    )
    .option('--min-distance <d>', 'how near photos may lie on the map (default: 0.1)', distance)
    .option('--color <column>', 'colours by a column (default: cluster, where there is one, else by folders)')
    .option('--previews <n>', 'photos that the page shows small', wholeNumber, PREVIEWS)
    .option('--seed <n>', 'what is drawn (default: 0)', wholeNumber)
    .option('--restart', 'replace the output even where it is no picture of plumage')
    .option('--json', 'progress as JSON lines on stderr')
    .action((options: MapOptions) => map(context, options))
}

async function map(context: CommandContext, options: MapOptions): Promise<void> {
  const { files, signal, collections, stdout } = context
  const { output, json = false, restart = false } = options
  const format = formatOf(output)
  const path = files.resolve(
    fileOf(await prepareOutput(context, output), output, 'a map is a whole file. Name one.'),
  )
  await context.pictures.assertTakes(path, { replace: restart })
  using progress = new Progress({ ...terminal(context), json, total: undefined })
  await using collection = await collections.open(collectionPlace(files, options.in), { signal, write: true })
  const [{ mapPhotos }, { layOutInThread }] = await Promise.all([
    import('../../collection/map-photos.js'),
    import('../../platform/node/collection/lay-out-in-thread.js'),
  ])
  const color = colorOf(collection, options.color)
  progress.phase('finding neighbours')
  const found = await mapPhotos(collection, {
    rebuild: options.rebuild,
    neighbours: options.neighbours,
    leastDistance: options.minDistance,
    seed: options.seed,
    columns: color === null ? [] : [color],
    layOut: layOutInThread,
    onProgress: inSteps((percent) => progress.phase(`laying out the map, ${percent} %`)),
    signal,
  })
  const view = await viewOf(collection, found, color)
  try {
    await using lock = await files.lock(path, { signal, onWait: (message) => progress.notice(message) })
    const chunks = await chunksOf(context, { collection, found, view, format, options, progress })
    await lock.assertHeld()
    await files.write(path, chunks)
  } catch (error) {
    throw signal.aborted ? error : asOutputError(error)
  }
  const { isNew, placed, made, trustworthiness } = found
  progress.finish(`${output} is written`, {
    output,
    photos: found.rows.length,
    isNew,
    placed,
    made,
    trustworthiness,
  })
  stdout.write(`${output}: ${describe(found)}\n`)
  if (!isNew && found.rows.length > 2 * made)
    progress.notice(
      'More photos were placed on this map than it was made of. Add --rebuild, and it is made of all, turned to fit this one.',
    )
}

function describe({ rows, isNew, placed, trustworthiness, recall }: PhotoMap): string {
  const parts = [
    counted(rows.length, 'photo'),
    isNew ? 'made of all of them' : `${placed} placed now, the others where they were`,
  ]
  if (recall !== null && recall < 1) parts.push(`by neighbours of recall ${recall.toFixed(3)}`)
  if (trustworthiness !== null) parts.push(`trustworthiness ${trustworthiness.toFixed(3)}`)
  return parts.join('; ')
}

function formatOf(output: string): MapFormat {
  if (/\.html?$/i.test(output)) return 'html'
  if (/\.svg$/i.test(output)) return 'svg'
  const format = formatOfNameOrNull(output)
  if (format !== null) return format
  throw new UsageError(
    `A map is a page, a picture or SVG: name a file ending in .html, .svg, .png, .jpg or .webp; got ${output}.`,
  )
}

/** Gives the column that colours come from, or null for folders. */
function colorOf(collection: Collection, given: string | undefined): string | null {
  if (given !== undefined) return given
  return collection.columns.some(({ name }) => name === 'cluster') ? 'cluster' : null
}

async function viewOf(
  collection: Collection,
  { rows, points }: PhotoMap,
  color: string | null,
): Promise<MapView> {
  const { readClusters } = await import('../../collection/cluster-photos.js')
  const kept = color === 'cluster' ? await readClusters(collection) : null
  const names = new Map(
    kept?.clusters.map(({ number, name }) => [String(number), name?.name ?? `cluster ${number}`]),
  )
  const values = rows.map((row) => (color === null ? folderOf(row) : valueIn(row, color)))
  const counts = new Map<string, number>()
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1)
  const groups = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_GROUPS)
  const places = new Map(groups.map(([value], place) => [value, place]))
  return {
    points,
    groups: Int32Array.from(values, (value) => (value === null ? -1 : (places.get(value) ?? -1))),
    groupNames: groups.map(([value]) => names.get(value) ?? value),
  }
}

function folderOf({ root, path }: Row): string {
  return [String(root), ...String(path).split('/').slice(0, -1)].join('/')
}

/** Photos of no cluster have the number -1. */
function valueIn(row: Row, column: string): string | null {
  const value = row[column]
  return value === null || value === undefined || (column === 'cluster' && value === -1)
    ? null
    : String(value)
}

interface Work {
  readonly collection: Collection
  readonly found: PhotoMap
  readonly view: MapView
  readonly format: MapFormat
  readonly options: MapOptions
  readonly progress: Progress
}

async function chunksOf(context: CommandContext, work: Work): Promise<Iterable<string | Uint8Array>> {
  const { collection, found, view, format } = work
  const { roots } = collection.about
  const paths = found.rows.map(({ root, path }) => `${roots[String(root)] ?? String(root)}/${String(path)}`)
  if (format === 'svg') {
    const { mapSvg } = await import('../../picture/map/map-svg.js')
    return [mapSvg(view, paths)]
  }
  if (format === 'html') return await pageOf(context, work, paths)
  const { drawMap } = await import('../../picture/map/draw-map.js')
  return [await context.pictures.encode(drawMap(view), format, `Map of ${describe(found)}.`)]
}

async function pageOf(
  context: CommandContext,
  { collection, found, view, options, progress }: Work,
  paths: readonly string[],
): Promise<Iterable<string>> {
  const [{ mapDocument }, { readBuiltPage }] = await Promise.all([
    import('../map-document.js'),
    import('../../platform/node/built-page.js'),
  ])
  const { previews, missing } = await previewsOf(context, paths, options.previews, progress)
  if (missing > 0)
    progress.notice(`${counted(missing, 'photo')} could not be read, and the page shows their names alone.`)
  const { identity } = collection.about
  return mapDocument({
    page: await readBuiltPage('map'),
    view,
    paths,
    previews,
    facts: [
      ['Model', `${identity.model}, ${shortDigest(identity.digest)}`],
      ['Input', identity.recipe],
      ['Map', `UMAP by cosine; ${describe(found)}`],
      ['Written by', `plumage ${context.version}`],
    ],
  })
}

/** Spread evenly over all photos, since those that are added together are often of one kind. */
async function previewsOf(
  { reducePhoto, signal }: CommandContext,
  paths: readonly string[],
  most: number,
  progress: Progress,
) {
  const count = Math.min(most, paths.length)
  const wanted = Array.from({ length: count }, (_, i) => Math.floor((i * paths.length) / count))
  const previews = new Map<number, Uint8Array>()
  const tell = inSteps((percent) => progress.phase(`reading photos, ${percent} %`))
  let missing = 0
  await atOnce(wanted, AT_ONCE, async (at) => {
    signal.throwIfAborted()
    try {
      previews.set(at, (await reducePhoto(paths[at] ?? '', { ...PREVIEW, signal })).jpeg)
    } catch (error) {
      if (signal.aborted) throw error
      missing++
    }
    tell((previews.size + missing) / count)
  })
  return { previews, missing }
}

/** Tells a share that grows in whole steps, since each may be a line of a log. */
function inSteps(tell: (percent: number) => void): (done: number) => void {
  let last = -1
  return (done) => {
    const percent = 5 * Math.floor(20 * done)
    if (percent !== last) tell(percent)
    last = percent
  }
}

function distance(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value < 3) return value
  throw new InvalidArgumentError('Expected a distance from 0 up to 3, such as 0.1.')
}
