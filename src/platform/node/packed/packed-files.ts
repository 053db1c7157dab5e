/**
 * Keeps packed weights as files in the cache folder, one for each checkpoint, network, instruction set and precision. One that does not agree in all
 * with what is loaded is refused, and whoever loads is told why: nothing of it is used.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { NUMBERS_VERSION, sortedJson } from '../../../encoder/identity.js'
import type { FoundPacked, PackedWeights, PackedWish } from '../../../encoder/packed-weights.js'
import { DIGEST_VERSION } from '../../../encoder/weight-digest.js'
import type { PackingFacts } from '../../../engine/engine.js'
import type { VitConfig } from '../../../model/vit-config.js'
import { cacheFolder } from '../hub/hub-settings.js'
import type { FileStamp } from '../open-file.js'
import { packageVersion } from '../package-files.js'
import { OBJECT } from '../storage/object-path.js'
import { NO_PACKED, type PackedHeader, type ReadHeader } from './packed-header.js'
import { readHead } from './read-head.js'

/** Ends the name of a file of packed weights. */
export const ENDING = '.packed'
/** Tells the checkpoint that is open from others. */
export interface PackedOrigin {
  /** Names the model after its file. */
  readonly name: string
  /** Leads to the checkpoint. */
  readonly path: string
  /** Names the layout in which its files hold the weights. */
  readonly layout: string
  /** Gives what the system says of its files now. Throws what the system throws. */
  stamps(): Promise<readonly FileStamp[]>
}

export function packedFolder(): string {
  return join(cacheFolder(), 'packed')
}

/** @param onRefused is told in a whole sentence which file is not used, and why */
export function packedWeightsOf(origin: PackedOrigin, onRefused: (message: string) => void): PackedWeights {
  return {
    async find(wish) {
      const path = await pathFor(origin, wish)
      const refuse = (reason: string) =>
        onRefused(
          `The packed weights in ${path} are not used, since ${reason}: the checkpoint's are packed anew for this load. ` +
            (reason === NO_PACKED
              ? 'Move the file away.'
              : 'The command plumage pack writes the file anew, and plumage pack --remove takes it away.'),
        )
      const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR')
          refuse(`they cannot be read (${error.message})`)
        return null
      })
      return handle === null ? null : await judged(path, handle, origin, wish, refuse)
    },
  }
}

/** Closes the file where it is not the one that is wanted. */
async function judged(
  path: string,
  handle: FileHandle,
  origin: PackedOrigin,
  wish: PackedWish,
  refuse: (reason: string) => void,
): Promise<FoundPacked | null> {
  try {
    const read = await readHead(handle)
    const reason = typeof read === 'string' ? read : await disagreement(read.header, origin, wish)
    if (typeof read !== 'string' && reason === null) return new OpenPacked(path, handle, read, refuse)
    refuse(String(reason))
  } catch (error) {
    await handle.close()
    // Whatever the engine says is nothing that the file has done.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    refuse(`they cannot be read (${(error as Error).message})`)
    return null
  }
  await handle.close()
  return null
}

class OpenPacked implements FoundPacked {
  readonly path: string
  readonly descriptor: number
  readonly offset: number
  readonly weights: string
  isUsed = false
  readonly #handle: FileHandle
  readonly #digest: string
  readonly #refuse: (reason: string) => void

  constructor(
    path: string,
    handle: FileHandle,
    { header, offset }: ReadHeader,
    refuse: (reason: string) => void,
  ) {
    this.path = path
    this.descriptor = handle.fd
    this.offset = offset
    this.weights = header.weights
    this.#handle = handle
    this.#digest = header.digest
    this.#refuse = refuse
  }

  accepts(states: Int32Array | null): boolean {
    this.isUsed = states !== null && digestOfStates(states) === this.#digest
    if (!this.isUsed) this.#refuse(states === null ? 'its bytes cannot be read' : 'its bytes are damaged')
    return this.isUsed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handle.close()
  }
}

/** Says in what the head of a file does not agree with what is wanted; null where it agrees in all. */
async function disagreement(
  header: PackedHeader,
  origin: PackedOrigin,
  wish: PackedWish,
): Promise<string | null> {
  const made = { plumage: header.plumage, versions: header.versions }
  if (sortedJson(made) !== sortedJson(ownVersions())) return `it was made by plumage ${header.plumage}`
  const stamps = (await origin.stamps()).map(({ text }) => text)
  if (sortedJson(header.files) !== sortedJson(stamps)) return 'the checkpoint has been changed or moved since'
  const { instructionSet, precision } = wish
  const isOwn = header.instructionSet === instructionSet && header.precision === precision
  if (!isOwn || header.network !== networkDigest(origin, wish.config))
    return 'they are those of another network'
  const facts = await wish.facts()
  if (header.packing !== digestOfFacts(facts) || header.byteLength !== facts.byteLength) {
    return 'they are packed in another way than this build of the native engine packs them'
  }
  return null
}

export function ownVersions(): Pick<PackedHeader, 'plumage' | 'versions'> {
  return { plumage: packageVersion(), versions: [NUMBERS_VERSION, DIGEST_VERSION] }
}

/** The name is the same for each state of the checkpoint and each version of this library, so that a file that is no longer right is replaced. */
export async function pathFor(
  origin: PackedOrigin,
  { config, instructionSet, precision }: Omit<PackedWish, 'facts'>,
): Promise<string> {
  // An object in a bucket has one address.
  const place = OBJECT.test(origin.path) ? origin.path : await realpath(origin.path)
  const key = hashOf(sortedJson([place, origin.layout, config])).slice(0, 16)
  const name = origin.name.slice(0, 100)
  return join(packedFolder(), `${name}-${instructionSet}-${precision}-${key}${ENDING}`)
}

export function networkDigest({ layout }: PackedOrigin, config: VitConfig): string {
  return hashOf(sortedJson([layout, config]))
}

export function digestOfFacts(facts: PackingFacts): string {
  return hashOf(sortedJson(facts))
}

export function digestOfStates(states: Int32Array): string {
  return hashOf(new Uint8Array(states.buffer, states.byteOffset, states.byteLength))
}

function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
