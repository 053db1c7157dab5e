/**
 * Finds members of shards again that a job has embedded before: where in its shard a member lies, the shard's own headers say, which are read once for all of its
 * members that follow each other.
 */
import { readTar, type TarMember } from '../../formats/read-tar.js'
import type { SourceRow } from '../row.js'
import { assertContact } from './address-row.js'
import { openBytes } from './open-bytes.js'
import { readAheadOf } from './shards-source.js'
import type { ShardMember, SourceReading, SourceWorld } from './source.js'
import { storageAt } from './storage-at.js'
import { tellTrouble } from './tell-trouble.js'

/** Of so many shards the members are remembered: rows that a retry has changed stand behind all others. */
const MOST_LISTED = 16

interface ListedShard {
  readonly members: ReadonlyMap<number, TarMember>
  readonly address: string
  readonly version: string | undefined
}

export class ListedShards {
  readonly #reading: SourceReading
  /** Is null for a shard that cannot be read, which has been told. */
  readonly #listed = new Map<string, ListedShard | null>()
  #storages: SourceWorld['storages']

  constructor(reading: SourceReading) {
    this.#reading = reading
    this.#storages = reading.world.storages
  }

  /** Gives null where the shard, or the member in it, is not what it was, and tells it. Throws as `tellTrouble`; what storage throws; the signal's reason. */
  async rowOrNull({ shard, number, name }: ShardMember): Promise<SourceRow | null> {
    assertContact(shard, this.#reading.options.contact)
    const listed = this.#listed.get(shard)
    const found = listed === undefined ? await this.#list(shard) : listed
    if (found === null) return null
    const member = found.members.get(number)
    if (member?.kind !== 'file' || member.name !== name) {
      tellTrouble(
        this.#reading,
        shard,
        `its member ${number} is ${member === undefined ? 'not there' : JSON.stringify(member.name)} and not ${JSON.stringify(name)}, so that it was written anew: make a job of the shards themselves`,
      )
      return null
    }
    const { address, version } = found
    const { offset, length } = member
    const place = { address, offset, length, ...(version === undefined ? {} : { version }) }
    return { id: `${shard}#${number}`, name: `${shard}/${name}`, place }
  }

  async #list(shard: string): Promise<ListedShard | null> {
    const [oldest] = this.#listed.keys()
    if (oldest !== undefined && this.#listed.size >= MOST_LISTED) this.#listed.delete(oldest)
    const listed = await this.#read(shard)
    this.#listed.set(shard, listed)
    return listed
  }

  async #read(shard: string): Promise<ListedShard | null> {
    const { world, options } = this.#reading
    const { signal } = options
    try {
      await this.#open(shard)
      await using tar = await openBytes(shard, { files: world.files, storages: this.#storages }, signal)
      const members = new Map<number, TarMember>()
      for await (const member of readTar(tar, readAheadOf(tar))) members.set(member.number, member)
      return { members, address: tar.address, version: tar.version }
    } catch (error) {
      signal?.throwIfAborted()
      tellTrouble(
        this.#reading,
        shard,
        error instanceof Error ? error.message.replace(/\.$/, '') : String(error),
      )
      return null
    }
  }

  /** Photos of a collection may lie in any place. */
  async #open(shard: string): Promise<void> {
    if (!/^(s3|az|gs|https?):/i.test(shard) || storageAt(this.#storages, shard) !== null) return
    this.#storages = new Map([...this.#storages, await this.#reading.world.openPlace(shard)])
  }
}
