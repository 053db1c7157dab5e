/** Keeps a collection in a folder of this machine, or of a drive that it has mounted. */
import { readdir, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CollectionError } from '../../../collection/collection-error.js'
import type { LogName } from '../../../collection/store.js'
import { makeFolder } from '../files/make-folder.js'
import { lockOutput } from '../files/output-lock.js'
import { temporaryOf } from '../files/write-whole.js'
import {
  ABOUT,
  type CollectionFile,
  FileLog,
  purposeOf,
  readAbout,
  readSmallFile,
  sizesIn,
  tableOfFolder,
  writeAbout,
  writeSmallFile,
} from './collection-files.js'
import { heldVersions, Lease } from './leases.js'
import type { CollectionPlace, HeldVersion, LockOptions } from './place.js'
import {
  carryVectorFile,
  openVectorFile,
  type VectorBlock,
  type VectorFileState,
  writeVectorFile,
} from './vector-file.js'

export class FolderPlace implements CollectionPlace {
  readonly label: string
  readonly isFar = false
  readonly keepsMs = 0

  constructor(folder: string) {
    this.label = folder
  }

  async address() {
    return { uri: this.label }
  }

  async isThere(): Promise<boolean> {
    return (await stat(join(this.label, ABOUT)).catch(() => null)) !== null
  }

  within(name: string): string {
    return join(this.label, name)
  }

  async begin(table: string): Promise<void> {
    await makeFolder(this.label)
    // A kill while a collection was made leaves these, and the next attempt replaces them.
    const begun: readonly string[] = [`${table}.lance`, temporaryOf(ABOUT)]
    const found = (await readdir(this.label)).filter((name) => !begun.includes(name))
    if (found.length > 0)
      throw new CollectionError(
        'exists',
        `${this.label} holds ${found.find((name) => !name.startsWith('.')) ?? found[0]} already, and is no place for a new collection. Name another folder.`,
      )
  }

  readAbout(): Promise<CollectionFile> {
    return readAbout(this.label)
  }

  writeAbout(about: CollectionFile): Promise<void> {
    return writeAbout(this.label, about)
  }

  lock(options: LockOptions) {
    return lockOutput(this.label, options)
  }

  lease() {
    return Lease.takeOrNull(this.label)
  }

  held() {
    return heldVersions(this.label)
  }

  log(name: LogName) {
    return new FileLog(this.label, name)
  }

  readFile(name: string) {
    return readSmallFile(this.label, name)
  }

  writeFile(name: string, bytes: Uint8Array | null) {
    return writeSmallFile(this.label, name, bytes)
  }

  openVectors(state: VectorFileState) {
    return openVectorFile(this.label, state)
  }

  writeVectors(state: VectorFileState, count: number, blocks: AsyncIterable<VectorBlock>) {
    return writeVectorFile(this.label, state, count, blocks)
  }

  carryVectors({ version }: VectorFileState, to: number) {
    return carryVectorFile(this.label, version, to)
  }

  /** Whoever copies a folder sees its files. */
  async publish(): Promise<void> {}

  async clean({ table }: VectorFileState, held: readonly HeldVersion[]): Promise<void> {
    if (held.some((one) => one.table === null)) return
    const kept = new Set([table, ...held.map((one) => one.table)])
    for (const name of await readdir(this.label)) {
      const found = tableOfFolder(name)
      if (found !== null && !kept.has(found))
        await rm(join(this.label, name), { recursive: true, force: true })
    }
  }

  sizes() {
    return sizesIn(this.label)
  }

  async remove(): Promise<readonly string[]> {
    const kept: string[] = []
    for (const name of await readdir(this.label)) {
      if (name === ABOUT) continue
      if (purposeOf(name) === null) kept.push(name)
      else await rm(join(this.label, name), { recursive: true, force: true })
    }
    // It comes last: without it nothing would know what the rest was.
    await rm(join(this.label, ABOUT), { force: true })
    if (kept.length === 0) await rmdir(this.label)
    return kept
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
