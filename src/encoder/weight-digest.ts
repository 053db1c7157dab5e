/**
 * Digests a network's canonical weights, which are the same in whatever layout, format and number of files it was stored. They are digested as they
 * pass on their way to an engine, so that nothing is read twice; what an engine has not asked for is read afterwards.
 *
 * Each weight's values, as float32, become states (kernels/digest-words.ts), and a SHA-256 over names, shapes and states in the order of the names is
 * the digest: the order of reading has no part in it.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { WeightName } from '../engine/plan.js'
import { type DigestWords, digestWords } from '../kernels/digest-words.js'
import { POSITIONS } from '../model/grid-tables.js'
import type { VitModel } from '../model/read-vit.js'
import type { VitConfig } from '../model/vit-config.js'
import type { Shape } from '../tensor/shape.js'

/** Is raised when the same weights get another digest. */
export const DIGEST_VERSION = 1
/** Names the position table of the stored grid among the weights, as Birder does. */

/** Remembers a digest from one load to the next, so that weights whose files have not changed need not be digested again. */
export interface DigestNote {
  /**
   * Gives the digest of the weights of these very files under this config, or null where it is not known. Never throws: a note that cannot be read is
   * none.
   */
  read(config: VitConfig): Promise<string | null>
  /** Never throws: what cannot be noted is found again at the next load. */
  write(config: VitConfig, digest: string): Promise<void>
}

/** Digests weights as they pass on their way to an engine. */
export class WeightDigest {
  readonly #digestWords: DigestWords
  #known: string | null
  readonly #lines = new Map<WeightName, Promise<string>>()
  #last: Promise<unknown> = Promise.resolve()

  /**
   * @param words digest values; default: this library's portable code, on the calling thread
   * @param known is what a note says; then nothing is digested
   */
  constructor(words: DigestWords = async (values) => digestWords(values), known: string | null = null) {
    this.#digestWords = words
    this.#known = known
  }

  /** Takes up what whoever has put the weights away has digested then: nothing more is digested. */
  know(digest: string): void {
    this.#known ??= digest
  }

  /** Tells whether a weight has still to be digested: not where a note says the digest, and each only once. */
  wants(name: WeightName): boolean {
    return this.#known === null && !this.#lines.has(name)
  }

  /**
   * Takes a weight up the first time that it comes. Its values are read afterwards, too: nobody may change them. Throws nothing: `finish` rejects
   * where digesting failed.
   */
  async add(name: WeightName, shape: Shape, values: Float32Array): Promise<void> {
    if (!this.wants(name)) return
    const before = this.#last
    const line = before.then(async () => lineOf(name, shape, await this.#digestWords(values)))
    this.#lines.set(name, line)
    // Whoever finishes hears of a failure; until then nobody waits for it.
    this.#last = line.catch(() => {})
    // One is digested while the next is read, and no more are kept in memory for it.
    await before
  }

  /** Takes up a wanted weight whose values whoever has read them has digested. */
  addStates(name: WeightName, shape: Shape, states: Int32Array): void {
    this.#lines.set(name, Promise.resolve(lineOf(name, shape, states)))
  }

  /** Reads what has not come yet, gives 64 hexadecimal digits and notes them. Throws what reading throws. */
  async finish(vit: VitModel, note?: DigestNote): Promise<string> {
    if (this.#known !== null) return this.#known
    const { weights, weightShapes, config } = vit
    for (const [name, shape] of weightShapes) {
      if (this.wants(name)) await this.add(name, shape, await weights.read(name, shape))
    }
    for (const [name, table] of await vit.readTables()) {
      const shape = name === POSITIONS ? [table.length / config.width, config.width] : [table.length]
      await this.add(name, shape, table)
    }
    const lines = await Promise.all(this.#lines.values())
    const digest = digestOfText(`plumage weights ${DIGEST_VERSION}\n${lines.sort().join('')}`)
    await note?.write(config, digest)
    return digest
  }
}

function lineOf(name: WeightName, shape: Shape, states: Int32Array): string {
  const bytes = new Uint8Array(states.buffer, states.byteOffset, states.byteLength)
  return `${name} [${shape.join(', ')}] ${bytesToHex(sha256(bytes))}\n`
}

/** Gives the SHA-256 of a text in 64 hexadecimal digits. */
export function digestOfText(text: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(text)))
}
