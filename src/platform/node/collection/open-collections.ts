/** Opens several collections that are searched together: those that a job has become, and others that are named one by one. */
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { atOnce } from '../../../at-once.js'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { CollectionError } from '../../../collection/collection-error.js'
import { CollectionSet, type SetMember } from '../../../collection/set/collection-set.js'
import type { NearFigures } from '../../../collection/set/nearness.js'
import { given } from '../../../encoder/choose-recipe.js'
import { isAddress, shownPlace } from '../../../is-address.js'
import { createProducts } from '../create-products.js'
import { below } from '../storage/object-path.js'
import { type CollectionList, readCollectionList } from './collection-list.js'
import { type CollectionOptions, hasCollection, openSharing } from './open-collection.js'
import { isPostgresAddress } from './postgres-address.js'

/** Says how collections are opened that are only read. A mirror of several is a folder that has one for each. */
export type CollectionsOptions = Omit<CollectionOptions, 'write' | 'onWait'>

const OPTIONS = { mirror: true, cacheBytes: true, signal: true } satisfies OptionNames<CollectionsOptions>

/** So many are opened together. */
const AT_ONCE = 8
const ENDING = '.plumage'

/** Is a collection that is to be opened, with what it may be called: the first name that no other has is taken. */
interface Named {
  readonly place: string
  readonly names: readonly string[]
}

/**
 * Opens collections that are searched together. A place is a collection, as `openCollection` takes it, or what `finishJob` has made: a folder, or an address on object
 * storage, that lists collections. Throws as `openCollection`; `CollectionError` `other-identity` where numbers of two cannot be compared, in words that say
 * what differs, and `not-found` for collections of a job that is not finished; RangeError where none is named, or one twice.
 */
export async function openCollections(
  places: string | readonly string[],
  options: CollectionsOptions = {},
): Promise<CollectionSet> {
  checkOptionNames(options, OPTIONS)
  const asked = typeof places === 'string' ? [places] : places
  const found = await atOnce(asked, AT_ONCE, (place) => collectionsAt(place, options.signal))
  const named = found.flatMap(({ collections }) => collections)
  const seen = new Set<string>()
  for (const { place } of named) {
    if (seen.has(place))
      throw new RangeError(`${shownPlace(place)} is named twice: name each collection once.`)
    seen.add(place)
  }
  const products = createProducts()
  const members: SetMember[] = []
  try {
    const names = namesOf(named)
    const { mirror, ...choice } = options
    // A name may be an address.
    const mirrorOf = (name: string) =>
      named.length === 1 ? mirror : mirror && join(mirror, `${name.replace(/[^\w.-]+/g, '-')}${ENDING}`)
    if (mirror !== undefined && named.length > 1) await mkdir(mirror, { recursive: true })
    // What was opened is closed where another cannot be, so that all are waited for.
    const opened = await atOnce(named, AT_ONCE, async ({ place }): Promise<SetMember | Error> => {
      const name = names.get(place) ?? place
      return await openSharing(place, { ...choice, ...given({ mirror: mirrorOf(name) }) }, products).then(
        (collection) => ({ name, collection }),
        (error: Error) => error,
      )
    })
    members.push(...opened.filter((one): one is SetMember => !(one instanceof Error)))
    for (const one of opened) if (one instanceof Error) throw one
    const [only] = found.length === 1 ? found : []
    const set = CollectionSet.of({ members, owned: products, ...given({ label: only?.label }) })
    const { list = null } = only ?? {}
    return list === null ? set : set.measuredAs(await freshOrNull(list, set))
  } catch (error) {
    for (const { collection } of members) await collection[Symbol.asyncDispose]()
    await products[Symbol.asyncDispose]()
    throw error
  }
}

/** What was measured of other rows says nothing of these. */
async function freshOrNull({ near }: CollectionList, set: CollectionSet): Promise<NearFigures | null> {
  if (near === null || String(near.versions) !== String(await set.versions())) return null
  return { photos: near.photos, recall: near.recall }
}

interface Found {
  readonly label: string
  readonly list: CollectionList | null
  readonly collections: readonly Named[]
}

/** What is neither a collection nor a list of them is opened as the one, whose words say what is missing. */
async function collectionsAt(where: string, signal: AbortSignal | undefined): Promise<Found> {
  const place = isAddress(where) ? where.replace(/(?<=[^/])\/+$/, '') : resolve(where)
  const label = shownPlace(place)
  const alone = { label, list: null, collections: [{ place, names: [nameOf(place), label] }] }
  if (isPostgresAddress(place) || (await hasCollection(place))) return alone
  const list = await readCollectionList(place, signal)
  if (list === null) {
    const first = below(place, `shard-00000${ENDING}`)
    if (!(await hasCollection(first))) return alone
    throw new CollectionError(
      'not-found',
      `${label} has collections of a job that is not finished: run plumage job finish again, which goes on, or name some of them, such as ${shownPlace(first)}.`,
    )
  }
  const collections = list.collections.map((name) => {
    const own = below(place, name)
    return { place: own, names: [nameOf(own), `${nameOf(place)}/${nameOf(own)}`, shownPlace(own)] }
  })
  return { label, list, collections }
}

function nameOf(place: string): string {
  const name = shownPlace(place).split(/[/\\]/).at(-1) ?? ''
  return name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : name
}

/** Names are as short as tells them all apart. */
function namesOf(named: readonly Named[]): ReadonlyMap<string, string> {
  for (let length = 0; ; length++) {
    const names = new Map(named.map(({ place, names: own }) => [place, own[length] ?? own.at(-1) ?? place]))
    const isLast = named.every(({ names: own }) => own.length <= length + 1)
    if (isLast || new Set(names.values()).size === named.length) return names
  }
}
