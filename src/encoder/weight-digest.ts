/**
 * Digests a network's canonical weights, which are the same in whatever layout, format and number of files it was stored. They are digested as they
 * pass on their way to an engine, so that nothing is read twice; what an engine has not asked for is read afterwards.
 *
 * Each weight's values, as float32, become states (kernels/digest-words.ts), and a SHA-256 over names, shapes and states in the order of the names is
 * the digest: the order of reading has no part in it.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { WeightSource } from '../engine/engine.js'
import type { WeightName } from '../engine/plan.js'
import { type DigestWords, digestWords } from '../kernels/digest-words.js'
import type { VitModel } from '../model/read-vit.js'
import type { Shape } from '../tensor/shape.js'

/** Is raised when the same weights get another digest. */
export const DIGEST_VERSION = 1
/** Names the position table of the stored grid among the weights, as Birder does. */
const POSITIONS = 'pos_embedding'

export class WeightDigest {
  readonly #digestWords: DigestWords
  readonly #lines = new Map<WeightName, Promise<string>>()
  #last: Promise<unknown> = Promise.resolve()

  /** @param words digest values; default: this library's portable code, on the calling thread */
  constructor(words: DigestWords = async (values) => digestWords(values)) {
    this.#digestWords = words
  }

  /** Gives the same weights, and digests each the first time that it passes. */
  through(source: WeightSource): WeightSource {
    return {
      read: async (name, shape) => {
        const values = await source.read(name, shape)
        if (!this.#lines.has(name)) {
          // One is digested while the next is read, and no more are kept in memory for it.
          await this.#last
          this.#add(name, shape, values)
        }
        return values
      },
    }
  }

  /** Reads what has not passed yet, and gives 64 hexadecimal digits. Throws what reading throws. */
  async finish({ weights, weightShapes, config, readPositions }: VitModel): Promise<string> {
    const source = this.through(weights)
    for (const [name, shape] of weightShapes) if (!this.#lines.has(name)) await source.read(name, shape)
    const table = await readPositions()
    if (table !== null) this.#add(POSITIONS, [table.length / config.width, config.width], table)
    const lines = await Promise.all(this.#lines.values())
    return digestOfText(`plumage weights ${DIGEST_VERSION}\n${lines.sort().join('')}`)
  }

  #add(name: WeightName, shape: Shape, values: Float32Array): void {
    const line = this.#digestWords(values).then((states) => {
      const bytes = new Uint8Array(states.buffer, states.byteOffset, states.byteLength)
      return `${name} [${shape.join(', ')}] ${bytesToHex(sha256(bytes))}\n`
    })
    this.#lines.set(name, line)
    // Whoever finishes hears of a failure; until then nobody waits for it.
    this.#last = line.catch(() => {})
  }
}

/** Gives the SHA-256 of a text in 64 hexadecimal digits. */
export function digestOfText(text: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(text)))
}
