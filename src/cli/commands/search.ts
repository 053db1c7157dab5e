/** `plumage search` finds the photos of a collection that are most like given ones. */
import { Command, InvalidArgumentError } from 'commander'
import { DEFAULT_COLLECTION } from '../collection-option.js'
import type { CommandContext } from '../context.js'
import { addComputeOptions, addFetchOptions, type ModelOptions, positiveInteger } from '../model-options.js'
import { type GivenPlace, parseBox, parsePoint } from './picture/parse-place.js'

export interface SearchCommandOptions
  extends Pick<
    ModelOptions,
    'engine' | 'precision' | 'threads' | 'maxFileBytes' | 'fetchTimeoutMs' | 'allowPrivateAddresses'
  > {
  readonly in?: readonly string[]
  readonly like?: readonly string[]
  readonly unlike?: readonly string[]
  readonly unlikeWeight?: number
  readonly id?: readonly string[]
  readonly vector?: string
  readonly box?: GivenPlace
  readonly point?: GivenPlace
  readonly model?: string
  readonly count: number
  readonly where?: string
  readonly indexed?: boolean
  readonly near?: number | true
  readonly mirror?: string
  readonly cache?: number
  readonly minSimilarity?: number
  readonly diverse?: number | true
  readonly withSelf?: boolean
  readonly unique?: boolean
  readonly after?: string
  readonly json?: boolean
  readonly paths?: boolean
  readonly null?: boolean
  readonly show?: boolean
  readonly output?: string
  readonly restart?: boolean
}

/** Is how much similarity counts beside difference where nobody says it. */
export const DIVERSE = 0.7

export function searchCommand(context: CommandContext): Command {
  const command = new Command('search').argument(
    '[photos...]',
    'photos to start from: files, addresses (https:, s3:, az:, gs:, data:, file:), or ids or paths of photos in the collection',
  )
  const several = command.option(
    '--in <collection>',
    `the collection, or what job finish has made; several times, to search several together (default: ${DEFAULT_COLLECTION})`,
    (place: string, before: readonly string[] | undefined) => [...(before ?? []), place],
  )
  addFetchOptions(addComputeOptions(several))
    .option('-m, --model <model>', 'the model; default: the one that the collection was made with')
    .option('--like <photos...>', 'more photos to start from')
    .option(
      '--unlike <photos...>',
      'photos of what is not wanted; from five of each kind on, a probe is trained',
    )
    .option(
      '--unlike-weight <n>',
      'how much these count beside the others (default: 0.2)',
      share('unlike-weight', 10),
    )
    .option('--id <ids...>', 'photos of the collection to start from')
    .option(
      '--vector <file>',
      'a vector to start from, at a path or an address: .npy, a JSON list, or numbers as text',
    )
    .option(
      '--box <place>',
      'search by a part of one photo: left,top,right,bottom in its pixels, or in hundredths: 10%,10%,60%,80%',
      parseBox,
    )
    .option('--point <place>', 'search by a point of one photo: x,y in its pixels, or 50%,40%', parsePoint)
    .option('-n, --count <n>', 'photos to find', positiveInteger, 10)
    .option(
      '--where <condition>',
      'take photos only of which this is true: "taken > \'2024-01-01\' and width > 2000"',
    )
    .option('--indexed', 'ask the index of a large collection: quicker, and it may miss some')
    .option(
      '--near [n]',
      'of several collections, ask only so many whose centroids are near; default: as many as find 0.95 of the nearest, which is measured once where it was not',
      positiveInteger,
    )
    .option('--mirror <folder>', 'keep a copy of a collection on object storage here, and search that')
    .option(
      '--cache <MB>',
      'what exact search on object storage may copy to this machine for the time being (default: 4000)',
      positiveInteger,
    )
    .option('--min-similarity <n>', 'leave out photos that are less alike', share('min-similarity', 1, -1))
    .option(
      '--diverse [lambda]',
      `choose photos that differ: 1 looks at similarity alone, 0 at differences (default: ${DIVERSE})`,
      share('diverse', 1),
    )
    .option('--with-self', 'take the photos that are asked for among the results')
    .option('--unique', 'take of photos with the same bytes or pixels the first alone')
    .option('--after <place>', 'go on where a page ended, as it says')
    .option('--json', 'a JSON line for each photo, and for the end of the page')
    .option('--paths', 'the path of each photo alone, in full')
    .option('-0, --null', 'the same, each ended by NUL, for xargs -0')
    .option('--show', 'thumbnails in the terminal')
    .option(
      '-o, --output <file>',
      'a contact sheet: a file, or an object in a bucket (s3:, az:, gs:), ending in .html',
    )
    .option('--restart', 'replace the output even where it is no contact sheet')
  return command.action(async (photos: string[], options: SearchCommandOptions) => {
    const { runSearch } = await import('../run-search.js')
    await runSearch(context, photos, options)
  })
}

/** Reads a number within bounds, for commander. */
function share(name: string, most: number, least = 0): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= least && value <= most) return value
    throw new InvalidArgumentError(`--${name} is a number from ${least} to ${most}; found ${text}.`)
  }
}
