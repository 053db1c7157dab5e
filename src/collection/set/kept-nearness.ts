/**
 * Keeps what was measured of several collections that nobody has put together but whoever searches them: in `nearness.json`, a small file of the first of them by name,
 * for the versions that it was measured of.
 */
import { isRecord, parseJsonOrNull } from '../../plain-value.js'
import type { Collection } from '../collection.js'
import { type MeasureNearOptions, measureNear } from './ask-set.js'
import type { CollectionSet } from './collection-set.js'
import type { NearFigures } from './nearness.js'

const FILE = 'nearness.json'
/** Of so many sets it is remembered, those that were measured last. */
const MOST_SETS = 16

interface KeptFigures extends NearFigures {
  /** Are the collections with the version of each, as text. */
  readonly of: string
}

/** Gives what was measured of these collections as they are, and has the set know it; null where nothing was. Throws what the stores throw. */
export async function knownNear(set: CollectionSet): Promise<NearFigures | null> {
  if (set.near !== null) return set.near
  const of = await nameOf(set)
  const found = (await keptIn(keeperOf(set))).find((one) => one.of === of)
  if (found !== undefined) set.measuredAs({ photos: found.photos, recall: found.recall })
  return set.near
}

/** Measures what near collections find, and keeps it. Throws as `measureNear`. */
export async function measureNearAndKeep(
  set: CollectionSet,
  options: MeasureNearOptions = {},
): Promise<NearFigures> {
  const figures = await measureNear(set, options)
  const keeper = keeperOf(set)
  const of = await nameOf(set)
  const others = (await keptIn(keeper)).filter((one) => one.of !== of).slice(0, MOST_SETS - 1)
  const text = JSON.stringify([{ of, ...figures }, ...others])
  // It saves time the next time, no more: where it cannot be kept, as on a disk that is only read, all goes on.
  await keeper.store.writeFile(FILE, new TextEncoder().encode(text)).catch(() => {})
  return figures
}

function keeperOf(set: CollectionSet): Collection {
  return set.members
    .map(({ collection }) => collection)
    .reduce((first, one) => (one.store.label < first.store.label ? one : first))
}

/** Is the same in whatever order the collections were named. */
async function nameOf(set: CollectionSet): Promise<string> {
  const versions = await set.versions()
  return JSON.stringify(
    set.members.map(({ collection }, at) => [collection.store.label, versions[at]]).sort(),
  )
}

/** What is damaged is measured again. */
async function keptIn({ store }: Collection): Promise<readonly KeptFigures[]> {
  const bytes = await store.readFile(FILE)
  const told = bytes === null ? null : parseJsonOrNull(new TextDecoder().decode(bytes))
  if (!Array.isArray(told)) return []
  return told.filter(
    (one) =>
      isRecord(one) &&
      typeof one.of === 'string' &&
      typeof one.photos === 'number' &&
      Array.isArray(one.recall) &&
      one.recall.every((share) => typeof share === 'number'),
  ) as unknown as KeptFigures[]
}
