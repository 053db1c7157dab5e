/**
 * Holds several collections of one identity that are searched as if they were one, as those that `plumage job finish` makes of a job: each keeps its own rows, in whatever
 * store, and answers for them alone; the answers are merged. Nothing here changes a collection.
 */

import { atOnce } from '../../at-once.js'
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { differingIdentity } from '../../encoder/identity-differences.js'
import type { Collection } from '../collection.js'
import { CollectionError } from '../collection-error.js'
import { columnOf } from '../columns.js'
import { textDigest } from '../search/cursor.js'
import { type Condition, columnsOf } from '../where/condition.js'
import type { NearFigures } from './nearness.js'

/** Is a collection of a set. */
export interface SetMember {
  /** Tells it from the others of the set, for people and in results. */
  readonly name: string
  /** Has the rows. */
  readonly collection: Collection
}

/** Says what a set is put together of. */
export interface CollectionSetParts {
  /** Are one or more, of one identity. They are disposed of with the set. */
  readonly members: readonly SetMember[]
  /** Names the set for people; default: the names of its collections. */
  readonly label?: string
  /** Is disposed of with the set. */
  readonly owned?: AsyncDisposable
}

const PARTS = { members: true, label: true, owned: true } satisfies OptionNames<CollectionSetParts>

/** So many collections are asked together what does not take long. */
export const AT_ONCE = 8

/** Holds several collections of one identity that are searched together. `openCollections` opens one on Node. Dispose of it. */
export class CollectionSet implements AsyncDisposable {
  /** Are the collections, in their order. */
  readonly members: readonly SetMember[]
  /** Names the set for people. */
  readonly label: string
  #near: NearFigures | null = null
  readonly #owned: AsyncDisposable | undefined

  private constructor({ members, label, owned }: CollectionSetParts) {
    this.members = members
    this.label = label ?? members.map(({ name }) => name).join(', ')
    this.#owned = owned
  }

  /**
   * Puts collections together. Throws `CollectionError` `other-identity`, in words that say what differs, where numbers of two cannot be compared; RangeError where
   * there is none, and where two have one name.
   */
  static of(parts: CollectionSetParts): CollectionSet {
    checkOptionNames(parts, PARTS)
    const [first, ...others] = parts.members
    if (first === undefined) throw new RangeError('A set of collections has one at least.')
    const names = new Set<string>()
    for (const { name } of parts.members) {
      if (names.has(name)) throw new RangeError(`Two collections of the set are called ${name}.`)
      names.add(name)
    }
    for (const other of others) assertAlike(first, other)
    return new CollectionSet(parts)
  }

  /** Is the first collection, whose identity, model and width are those of all. */
  get first(): Collection {
    return this.at(0)
  }

  /** Says how much is found where only near collections are asked; null where that has not been measured since rows were changed. */
  get near(): NearFigures | null {
    return this.#near
  }

  /** Says what was measured before of these very versions. */
  measuredAs(near: NearFigures | null): this {
    this.#near = near
    return this
  }

  /** Gives the number of the collection of this name. Throws `CollectionError` `not-found`. */
  numberOf(name: string): number {
    const at = this.members.findIndex((member) => member.name === name)
    if (at >= 0) return at
    throw new CollectionError('not-found', `${this.label} has no collection ${JSON.stringify(name)}.`)
  }

  /** Gives a collection by its number. Throws RangeError for a number that none has. */
  at(member: number): Collection {
    const found = this.members[member]
    if (found === undefined) throw new RangeError(`${this.label} has no collection number ${member}.`)
    return found.collection
  }

  /** Gives a number that is another one after rows of any collection were changed. Throws what the stores throw. */
  async version(): Promise<number> {
    const versions = await this.versions()
    return versions.length === 1
      ? (versions[0] ?? 0)
      : Number.parseInt(textDigest(JSON.stringify(versions)), 16)
  }

  /** Gives the version of each collection. Throws what the stores throw. */
  async versions(): Promise<readonly number[]> {
    return await atOnce(this.members, AT_ONCE, ({ collection }) => collection.store.version())
  }

  /** Turns to what was written since, as `Collection.refresh`, and says whether anything was. Throws what the stores throw. */
  async refresh(): Promise<boolean> {
    const turned = await atOnce(this.members, AT_ONCE, ({ collection }) => collection.refresh())
    const isTurned = turned.includes(true)
    if (isTurned) this.#near = null
    return isTurned
  }

  /** Reads a condition for each collection, whose columns may differ. Throws `CollectionError` `wrong-where`, `unknown-column`, with the collection's name. */
  where(condition: string | Condition): readonly Condition[] {
    return this.members.map(({ name, collection }) => {
      try {
        if (typeof condition === 'string') return collection.where(condition)
        for (const column of columnsOf(condition)) columnOf(column, collection.columns)
        return condition
      } catch (error) {
        if (this.members.length === 1 || !(error instanceof CollectionError)) throw error
        throw new CollectionError(error.code, `Of ${name}: ${error.message}`, { cause: error })
      }
    })
  }

  /** Closes the collections, and gives back what the set owns. Throws what the stores throw. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { collection } of this.members) await collection[Symbol.asyncDispose]()
    await this.#owned?.[Symbol.asyncDispose]()
  }
}

/** A collection that is searched alone is a set of one. It stays with whoever has opened it. */
export function setOf(searched: Collection | CollectionSet): CollectionSet {
  if (searched instanceof CollectionSet) return searched
  return CollectionSet.of({ members: [{ name: searched.store.label, collection: searched }] })
}

function assertAlike(first: SetMember, other: SetMember): void {
  const [one, two] = [first.collection.about, other.collection.about]
  if (one.identity.digest === two.identity.digest && one.width === two.width) return
  const { found, expected } = differingIdentity(two.identity, one.identity)
  throw new CollectionError(
    'other-identity',
    `${other.collection.store.label} was made with ${found}; ${first.collection.store.label} with ${expected}. ` +
      'Numbers of the two cannot be compared: search collections together that were made with one model.',
  )
}
