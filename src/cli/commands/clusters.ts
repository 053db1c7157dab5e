/** `plumage clusters` groups the photos of a collection by what they show, and says what the groups are. */
import { Command, Option } from 'commander'
import type {
  ClusterMethod,
  ClusterPhotosOptions,
  PhotoCluster,
  PhotoClusters,
} from '../../collection/cluster-photos.js'
import type { Collection } from '../../collection/collection.js'
import { addCollectionOption, collectionPlace } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import { counted } from '../counted.js'
import { positiveInteger } from '../model-options.js'
import { Progress, printable } from '../progress.js'
import { terminal } from '../run-resumably.js'
import { wholeNumber } from '../whole-number.js'

interface ClustersOptions {
  readonly in: string
  readonly method: ClusterMethod
  readonly count?: number
  readonly minPhotos?: number
  readonly samples?: number
  readonly leaf?: boolean
  readonly names?: string
  readonly exemplars?: number
  readonly seed?: number
  readonly save: boolean
  readonly json?: boolean
}

export function clustersCommand(context: CommandContext): Command {
  return addCollectionOption(new Command('clusters'), '--in <collection>', 'the collection')
    .addOption(
      new Option('--method <method>', 'every photo in one of k groups, or groups where photos lie densely')
        .choices(['k-means', 'hdbscan'])
        .default('k-means'),
    )
    .option(
      '-k, --count <k>',
      'groups of k-means (default: those farthest apart, by their silhouette)',
      positiveInteger,
    )
    .option('--min-photos <n>', 'least photos of a group of hdbscan (default: 5)', positiveInteger)
    .option('--samples <n>', 'photos that hdbscan tells density by (default: --min-photos)', positiveInteger)
    .option('--leaf', 'the smallest groups of the hierarchy of hdbscan')
    .option('--names <column>', 'name groups by the texts of a column (default: by folders)')
    .option('--exemplars <n>', 'photos that stand for each group (default: 5)', positiveInteger)
    .option('--seed <n>', 'what is drawn (default: 0)', wholeNumber)
    .option('--no-save', 'show the groups, and keep nothing with the collection')
    .option('--json', 'a JSON line for each group')
    .action((options: ClustersOptions) => clusters(context, options))
}

async function clusters(context: CommandContext, options: ClustersOptions): Promise<void> {
  const { files, signal, collections, stdout } = context
  using progress = new Progress({ ...terminal(context), json: options.json ?? false, total: undefined })
  await using collection = await collections.open(collectionPlace(files, options.in), {
    signal,
    write: options.save,
  })
  const { clusterPhotos } = await import('../../collection/cluster-photos.js')
  progress.phase('comparing photos')
  const found = await clusterPhotos(collection, { ...settingsOf(options), signal })
  if (options.save) await collection.fold({ signal })
  const paths = await pathsOf(collection, found, signal)
  for (const cluster of found.clusters)
    stdout.write(options.json ? jsonOf(cluster, paths) : lineOf(cluster, paths))
  if (options.json) progress.finish('', { ...found, clusters: found.clusters.length })
  else progress.say(summaryOf(found))
  const { count } = options
  if (found.method === 'k-means' && count !== undefined && found.clusters.length < count)
    progress.notice(
      `${counted(count, 'group')} were asked for: no more than ${found.clusters.length} have a photo, since photos that are the same come into one.`,
    )
}

function settingsOf(options: ClustersOptions): ClusterPhotosOptions {
  const { method, count, minPhotos, samples, leaf, names, exemplars, seed, save } = options
  return { method, count, leastPhotos: minPhotos, samples, leaf, namesFrom: names, exemplars, seed, save }
}

async function pathsOf(
  collection: Collection,
  { clusters: found }: PhotoClusters,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const ids = found.flatMap(({ exemplars }) => exemplars)
  const rows = await collection.rows(ids, { columns: ['id', 'root', 'path'], signal })
  return new Map(rows.map((row) => [String(row?.id), `${row?.root}/${row?.path}`]))
}

function jsonOf(cluster: PhotoCluster, paths: ReadonlyMap<string, string>): string {
  const exemplars = cluster.exemplars.map((id) => ({ id, path: paths.get(id) }))
  return `${JSON.stringify({ ...cluster, exemplars })}\n`
}

function lineOf(
  { number, count, name, exemplars }: PhotoCluster,
  paths: ReadonlyMap<string, string>,
): string {
  const [first = ''] = exemplars
  const called = name === null ? '-' : `${printable(name.name)} (${Math.round(100 * name.share)} %)`
  return `${String(number).padStart(3)}  ${counted(count, 'photo').padStart(12)}  ${called}  ${printable(paths.get(first) ?? '')}\n`
}

function summaryOf({
  method,
  clusters: found,
  total,
  alone,
  proposed,
  agreement,
  isExact,
  recall,
}: PhotoClusters): string {
  const parts = [`${counted(total, 'photo')} in ${counted(found.length, 'group')} by ${method}`]
  if (alone > 0) parts.push(`${alone} in none`)
  if (proposed !== null && proposed.tried.length > 0)
    parts.push(
      `the number is the one, of ${proposed.tried.length} tried, with the largest mean silhouette (${proposed.silhouette.toFixed(2)})`,
    )
  if (!isExact)
    parts.push(
      `found on the graph of neighbours${recall === null || recall === 1 ? '' : `, of recall ${recall.toFixed(3)}`}`,
    )
  if (agreement !== null)
    parts.push(
      `exact groups and those on the graph agree by ${agreement.index.toFixed(3)} (adjusted Rand index, ${counted(agreement.photos, 'photo')})`,
    )
  return parts.join('; ')
}
