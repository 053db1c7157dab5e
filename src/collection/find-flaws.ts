/** Finds photos that are blurred, too dark, too bright, empty, tiny or of an odd shape, by what was measured of them when they were indexed. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { nearestNames } from '../nearest-names.js'
import type { Collection } from './collection.js'
import { type Row, rowsOf } from './row-block.js'

/** Names what can be wrong with a photo. */
export type Flaw = 'blurred' | 'dark' | 'bright' | 'empty' | 'tiny' | 'odd-aspect'

/** Says when a photo has a flaw: which measure lies on which side of which number. */
export interface FlawRule {
  /** Names what is measured; a column, or `side` (the shorter one in pixels) or `aspect` (the longer side through the shorter). */
  readonly measure: string
  /** Is the number beyond which it is a flaw. */
  readonly limit: number
  /** Says on which side of it. */
  readonly side: 'below' | 'above'
}

/**
 * Are the rules. `dark`, `bright`, `empty` and `odd-aspect` have cleanvision's numbers (0.3.7). `blurred` lies between what was measured of photos (at least 240 of 65) and of the same
 * photos blurred by two pixels of 512 (100 at most). `tiny` is less than the models that ship look at.
 */
export const FLAW_RULES: Readonly<Record<Flaw, FlawRule>> = {
  blurred: { measure: 'sharpness', limit: 100, side: 'below' },
  dark: { measure: 'brightness_99', limit: 0.32, side: 'below' },
  bright: { measure: 'brightness_5', limit: 0.95, side: 'above' },
  empty: { measure: 'entropy', limit: 3, side: 'below' },
  tiny: { measure: 'side', limit: 112, side: 'below' },
  'odd-aspect': { measure: 'aspect', limit: 1 / 0.35, side: 'above' },
}

/** Lists the names of flaws. */
export const FLAWS = Object.keys(FLAW_RULES) as readonly Flaw[]

/** Says which flaws are looked for. */
export interface FlawOptions {
  /** Names them; default: all. */
  readonly flaws?: readonly Flaw[]
  /** Moves limits. */
  readonly limits?: Partial<Readonly<Record<Flaw, number>>>
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Is a photo that has a flaw. */
export interface FlawedPhoto {
  /** Is the photo's id. */
  readonly id: string
  /** Names the root of its path. */
  readonly root: string
  /** Leads from the root to the file. */
  readonly path: string
  /** Is what is wrong with it. */
  readonly flaw: Flaw
  /** Is what was measured. */
  readonly value: number
  /** Is the limit that it lies beyond. */
  readonly limit: number
}

const OPTIONS = { flaws: true, limits: true, signal: true } satisfies OptionNames<FlawOptions>

const COLUMNS = [
  'id',
  'root',
  'path',
  'state',
  'height',
  'width',
  'sharpness',
  'brightness_5',
  'brightness_99',
  'entropy',
]

/**
 * Gives the photos that have a flaw, flaw by flaw, the worst first; one that has several is given with each. Photos that were indexed before anything was measured have none. Throws RangeError for
 * a flaw that there is not; what the collection throws; the signal's reason.
 */
export async function findFlaws(
  collection: Collection,
  options: FlawOptions = {},
): Promise<readonly FlawedPhoto[]> {
  checkOptionNames(options, OPTIONS)
  const { flaws = FLAWS, limits = {}, signal } = options
  for (const name of [...flaws, ...Object.keys(limits)]) checkFlaw(name)
  const found: FlawedPhoto[] = []
  for await (const block of collection.scan({ columns: COLUMNS, ...(signal ? { signal } : {}) }))
    for (const row of rowsOf(block)) {
      if (row.state !== 'embedded') continue
      for (const flaw of flaws) {
        const flawed = flawOf(row, flaw, limits[flaw] ?? FLAW_RULES[flaw].limit)
        if (flawed !== null) found.push(flawed)
      }
    }
  const worse = ({ flaw, value, limit }: FlawedPhoto) =>
    FLAW_RULES[flaw].side === 'below' ? limit - value : value - limit
  return found.sort(
    (a, b) =>
      FLAWS.indexOf(a.flaw) - FLAWS.indexOf(b.flaw) ||
      worse(b) - worse(a) ||
      (`${a.root}/${a.path}` < `${b.root}/${b.path}` ? -1 : 1),
  )
}

function checkFlaw(name: string): void {
  if (Object.hasOwn(FLAW_RULES, name)) return
  throw new RangeError(
    `There is no flaw ${JSON.stringify(name)}. Did you mean ${nearestNames(name, FLAWS, 1).join()}? There are ${FLAWS.join(', ')}.`,
  )
}

function flawOf(row: Row, flaw: Flaw, limit: number): FlawedPhoto | null {
  const { measure, side } = FLAW_RULES[flaw]
  const value = measured(row, measure)
  if (value === null || !(side === 'below' ? value < limit : value > limit)) return null
  return { id: String(row.id), root: String(row.root), path: String(row.path), flaw, value, limit }
}

function measured(row: Row, measure: string): number | null {
  const { height, width } = row
  if (measure === 'side' || measure === 'aspect') {
    if (typeof height !== 'number' || typeof width !== 'number') return null
    const [shorter, longer] = [Math.min(height, width), Math.max(height, width)]
    return measure === 'side' ? shorter : longer / shorter
  }
  const value = row[measure]
  return typeof value === 'number' ? value : null
}
