/**
 * Finds out how a vector was made that somebody else computed of an image: the settings in which programs differ are tried one at a time, then together,
 * and what comes nearest is told. All of them are finite lists, so that the search ends.
 */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { Network } from '../../encoder/network.js'
import type { DecodedImage } from '../../image/image.js'
import { prepareImageWith } from '../../image/prepare-image.js'
import type { Recipe } from '../../image/recipe.js'
import type { Resample } from '../../kernels/resample-pillow.js'
import type { PositionRule } from '../../model/positions.js'
import { cosineSimilarity } from '../../numerics/cosine-similarity.js'
import { type Reading, readingsOf, slotsToRead } from './readings.js'
import { type Change, changesFor, type SettingName, type Settings } from './settings.js'

/** So near are two computations of one thing in float32: what is left is rounding, and there is nothing to look for. */
const ROUNDING = 1e-11
/** So near are the same settings with sums in another order, on another engine. */
const SAME = 1e-8
/** So near are the same settings with another JPEG decoder, another resize of bytes, or a narrower precision. */
const NEARLY = 1e-3
/** So many of the best settings are changed further in each round. */
const KEPT = 3

/** Says what the search may take. */
export interface ExplainOptions {
  /** Bounds the runs of the network; default 400. */
  readonly maxRuns?: number
  /** Is told after each run how many there were, and the best cosine yet. */
  readonly onProgress?: (runs: number, cosine: number) => void
  /** Ends the search, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export const EXPLAIN_OPTIONS = {
  maxRuns: true,
  onProgress: true,
  signal: true,
} satisfies OptionNames<ExplainOptions>

/** Is the way that comes nearest to the vector. */
export interface Explanation {
  /** `same`: these settings reproduce it up to rounding. `nearly`: up to another decoder, resize or precision. `different`: nothing that is known does. */
  readonly verdict: 'same' | 'nearly' | 'different'
  /** Is the cosine of the vector and what these settings give. */
  readonly cosine: number
  /** Says what of the network it is, such as `the class token after the last norm`. */
  readonly reading: string
  /** Tells whether the vector is scaled to length 1 and what was read is not. */
  readonly isUnitLength: boolean
  /** Lists what is otherwise than in this library's own way with the model, in the order of their weight. */
  readonly changes: readonly {
    /** Names the setting. */
    readonly of: SettingName
    /** Says how it is set. */
    readonly what: string
  }[]
  /** Is the cosine of the vector and this library's own embedding; null where they have different lengths. */
  readonly ownCosine: number | null
  /** Counts the runs of the network that it took. */
  readonly runs: number
}

/** Holds what the search works on. */
export interface ExplainParts {
  readonly network: Network
  /** Is this library's own way with the model. */
  readonly recipe: Recipe
  readonly positions: PositionRule
  /** Resizes. */
  readonly resample: Resample
  /** Decodes the image, turned by its EXIF orientation or not, with alpha laid on white or dropped. */
  readonly decode: (how: Pick<Recipe, 'orientation' | 'transparency'>) => Promise<DecodedImage>
}

interface Candidate {
  readonly settings: Settings
  readonly changes: readonly Change[]
  readonly distance: number
  readonly reading: Reading
}

/** Throws RangeError for a vector that no reading of this network is as long as; what decoding and running throw; the signal's reason. */
export async function explainVector(
  parts: ExplainParts,
  vector: Float32Array,
  options: ExplainOptions = {},
): Promise<Explanation> {
  checkOptionNames(options, EXPLAIN_OPTIONS)
  const search = new Search(parts, vector, options)
  return await search.explain()
}

class Search {
  readonly #parts: ExplainParts
  readonly #vector: Float32Array
  readonly #options: ExplainOptions
  readonly #own: Settings
  readonly #tried = new Map<string, Candidate | null>()
  readonly #images = new Map<string, Promise<DecodedImage>>()
  #runs = 0
  #best = Number.POSITIVE_INFINITY

  constructor(parts: ExplainParts, vector: Float32Array, options: ExplainOptions) {
    this.#parts = parts
    this.#vector = vector
    this.#options = options
    const { network, recipe, positions } = parts
    const { activation, epsilon } = network.config
    this.#own = { recipe, isBgr: false, activation, epsilon, positions }
  }

  async explain(): Promise<Explanation> {
    const changes = changesFor(this.#own, this.#parts.network.config)
    const readings = await this.#readings(this.#own)
    const first = this.#judge(this.#own, [], readings)
    const ownCosine = this.#ownCosine(readings)
    let kept = first === null ? [] : [first]
    let best = first
    while (!this.#isOver(best)) {
      // A size of its own may be what makes a reading as long as the vector, so that the search goes on from nothing too.
      const from = kept.length === 0 ? [{ settings: this.#own, changes: [] }] : kept
      const found = await this.#round(from, changes)
      const all = [...kept, ...found].sort((a, b) => a.distance - b.distance)
      const [nearest] = all
      if (nearest === undefined) break
      const isBetter = best === null || nearest.distance < best.distance
      best = isBetter ? nearest : best
      kept = distinct(all).slice(0, KEPT)
      if (!isBetter) break
    }
    if (best === null) throw this.#noReading()
    return this.#told(await this.#withoutNeedless(best), ownCosine)
  }

  #isOver(best: Candidate | null): boolean {
    const { maxRuns = 400 } = this.#options
    return (best !== null && best.distance <= ROUNDING) || this.#runs >= maxRuns
  }

  /** Tries each change on each of the settings, in places where none of its kind has been made yet. */
  async #round(
    from: readonly Pick<Candidate, 'settings' | 'changes'>[],
    changes: readonly Change[],
  ): Promise<readonly Candidate[]> {
    const found: Candidate[] = []
    for (const { settings, changes: made } of from) {
      for (const next of changes) {
        if (made.some((change) => change.of === next.of)) continue
        const candidate = await this.#try(next.apply(settings), [...made, next])
        if (candidate !== null) found.push(candidate)
        if (this.#isOver(candidate)) return found
      }
    }
    return found
  }

  /** A change that brought nothing is none: each is taken back once. */
  async #withoutNeedless(best: Candidate): Promise<Candidate> {
    let kept = best
    for (const change of best.changes) {
      const fewer = kept.changes.filter((other) => other !== change)
      const settings = fewer.reduce((all, { apply }) => apply(all), this.#own)
      const candidate = await this.#try(settings, fewer)
      if (candidate !== null && candidate.distance <= Math.max(kept.distance, ROUNDING)) kept = candidate
    }
    return kept
  }

  async #try(settings: Settings, changes: readonly Change[]): Promise<Candidate | null> {
    const known = this.#tried.get(JSON.stringify(settings))
    if (known !== undefined) return known
    return this.#judge(settings, changes, await this.#readings(settings))
  }

  #judge(settings: Settings, changes: readonly Change[], readings: readonly Reading[]): Candidate | null {
    const reading = nearest(readings, this.#vector)
    this.#runs++
    const candidate = reading === null ? null : { settings, changes, ...reading }
    this.#tried.set(JSON.stringify(settings), candidate)
    if (candidate !== null) this.#best = Math.min(this.#best, candidate.distance)
    this.#options.onProgress?.(this.#runs, 1 - this.#best)
    return candidate
  }

  async #readings(settings: Settings): Promise<readonly Reading[]> {
    const { signal } = this.#options
    signal?.throwIfAborted()
    const { network, resample } = this.#parts
    const { recipe, isBgr, activation, epsilon, positions } = settings
    const image = await this.#image(recipe, isBgr)
    const { pixels, height, width } = await prepareImageWith(resample, image, recipe)
    const grid = network.gridOf([height, width])
    const change = { activation, epsilon }
    const plan = network.planFor(grid, { positions, change })
    const outputs = slotsToRead(plan)
    const run = { grid, outputs, positions, change, ...(signal === undefined ? {} : { signal }) }
    return readingsOf(plan, network.config, await network.run(pixels, run), this.#vector.length)
  }

  #image({ orientation, transparency }: Recipe, isBgr: boolean): Promise<DecodedImage> {
    const key = `${orientation} ${transparency} ${isBgr}`
    const known = this.#images.get(key)
    if (known !== undefined) return known
    const decoded = this.#parts.decode({ orientation, transparency })
    const image = isBgr ? decoded.then((found) => ({ ...found, data: exchanged(found.data) })) : decoded
    this.#images.set(key, image)
    return image
  }

  #ownCosine(readings: readonly Reading[]): number | null {
    const kind = `the embedding "${this.#parts.network.embedding}"`
    const reading = readings.find(({ what }) => what === kind)
    return reading === undefined ? null : cosineSimilarity(reading.values, this.#vector)
  }

  #told({ distance, reading, changes }: Candidate, ownCosine: number | null): Explanation {
    const isUnitLength = isOfLengthOne(this.#vector) && !isOfLengthOne(reading.values)
    return {
      verdict: distance <= SAME ? 'same' : distance <= NEARLY ? 'nearly' : 'different',
      cosine: 1 - distance,
      reading: reading.what,
      isUnitLength,
      changes: changes.map(({ of, what }) => ({ of, what })),
      ownCosine,
      runs: this.#runs,
    }
  }

  #noReading(): RangeError {
    const { config } = this.#parts.network
    return new RangeError(
      `The vector has ${this.#vector.length} numbers, and nothing that is read of this network has as many: its tokens have ${config.width}. It is of another model.`,
    )
  }
}

/** Settings that differ in what they have no effect on would fill the places of others. */
function distinct(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter(
    ({ distance }, index) => candidates.findIndex((other) => other.distance === distance) === index,
  )
}

function nearest(
  readings: readonly Reading[],
  vector: Float32Array,
): Pick<Candidate, 'distance' | 'reading'> | null {
  let best: Pick<Candidate, 'distance' | 'reading'> | null = null
  for (const reading of readings) {
    const distance = 1 - cosineSimilarity(reading.values, vector)
    // Of readings that are the same thing, the one that has a name comes first.
    if (best === null || distance < best.distance - ROUNDING) best = { distance, reading }
  }
  return best
}

function isOfLengthOne(values: Float32Array): boolean {
  let sum = 0
  for (const value of values) sum += value * value
  return Math.abs(sum - 1) < 1e-3
}

/** Exchanges the first and the third of each three levels. */
function exchanged(data: Uint8Array): Uint8Array {
  const out = data.slice()
  for (let at = 0; at < data.length; at += 3) {
    out[at] = data[at + 2] ?? 0
    out[at + 2] = data[at] ?? 0
  }
  return out
}
