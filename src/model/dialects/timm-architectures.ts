/**
 * Reads the lines in which timm's architectures are kept (timm-lines.ts), for what no tensor tells: heads, epsilon, activation, pooling, and how
 * each published set of weights wants its images. A line is:
 *
 *     name heads width [key=value ...] : levels/crop/size[/crop mode][/interpolation]=tag,tag ... [levels/…=tag …]
 *
 * The first tag is the one that timm takes where none is named; `-` stands for an architecture without one.
 */
import type { FractionPreparation } from '../../image/preparation.js'
import { TIMM_BEIT_LINES, TIMM_RELPOS_LINES } from '../families/timm-beit-lines.js'
import { TIMM_EVA_LINES } from '../families/timm-eva-lines.js'
import { TIMM_NAFLEX_LINES } from '../families/timm-naflex-lines.js'
import { NORMALISATIONS } from '../normalisation.js'
import type { RgbStats } from '../vit-config.js'
import { TIMM_LINES } from './timm-lines.js'

/** Names timm's classes of vision transformers that are run. */
export type TimmClass = 'VisionTransformer' | 'Eva' | 'Beit' | 'VisionTransformerRelPos' | 'NaFlexVit'

const LINES: readonly (readonly [TimmClass, string])[] = [
  ['VisionTransformer', TIMM_LINES],
  ['Eva', TIMM_EVA_LINES],
  ['Beit', TIMM_BEIT_LINES],
  ['VisionTransformerRelPos', TIMM_RELPOS_LINES],
  ['NaFlexVit', TIMM_NAFLEX_LINES],
]

export interface TimmArchitecture {
  readonly name: string
  /** Names the class that timm builds it of. */
  readonly class: TimmClass
  readonly heads: number
  readonly width: number
  /** Holds what the architecture sets otherwise than timm's class does, by keys of timm-lines.ts. */
  readonly settings: ReadonlyMap<string, string>
  readonly inputs: ReadonlyMap<string, TimmInput>
}

/** Says how images are made for one published set of weights. */
export interface TimmInput {
  readonly normalisation: { readonly name: string; readonly stats: RgbStats }
  readonly preparation: FractionPreparation
}

export interface TimmName {
  readonly architecture: TimmArchitecture
  /** Is null where the name has no tag, or one that timm does not know. */
  readonly input: TimmInput | null
  /** Is the name as it was found, with its tag. */
  readonly found: string
}

let decoded: ReadonlyMap<string, TimmArchitecture> | null = null

export function findTimmArchitecture(name: string): TimmArchitecture | null {
  decoded ??= decodeAll()
  return decoded.get(name) ?? null
}

export function timmArchitectures(): readonly TimmArchitecture[] {
  decoded ??= decodeAll()
  return [...decoded.values()]
}

/** Finds the longest name of an architecture, and the tag behind it, in a file's name or in that of its folder. */
export function timmNameOrNull(label: string): TimmName | null {
  const names = timmArchitectures()
    .map(({ name }) => name)
    .toSorted((a, b) => b.length - a.length)
  for (const part of label.split(/[/\\]/).toReversed()) {
    const name = names.find((candidate) => standsIn(part, candidate))
    const architecture = name === undefined ? null : findTimmArchitecture(name)
    if (name === undefined || architecture === null) continue
    const rest = part.slice(part.indexOf(name) + name.length)
    const tag = [...architecture.inputs.keys()]
      .toSorted((a, b) => b.length - a.length)
      .find((candidate) => standsIn(rest.slice(1), candidate) && rest.slice(1).startsWith(candidate))
    if (tag === undefined) return { architecture, input: null, found: name }
    return { architecture, input: architecture.inputs.get(tag) ?? null, found: `${name}.${tag}` }
  }
  return null
}

/** A name stands in a text where no letter, digit or underline continues it, since another name may begin as it does. */
function standsIn(text: string, name: string): boolean {
  const at = text.indexOf(name)
  if (at < 0) return false
  const before = text[at - 1] ?? ''
  const after = text[at + name.length] ?? ''
  return !/\w/.test(before) && !/\w/.test(after)
}

function decodeAll(): ReadonlyMap<string, TimmArchitecture> {
  const all = LINES.flatMap(([kind, lines]) =>
    lines
      .trim()
      .split('\n')
      .map((line) => decodeLine(kind, line)),
  )
  return new Map(all.map((architecture) => [architecture.name, architecture]))
}

function decodeLine(kind: TimmClass, line: string): TimmArchitecture {
  const [front = '', back = ''] = line.split(/ :(?: |$)/)
  const [name, heads, width, ...settings] = front.split(' ')
  if (name === undefined || heads === undefined || width === undefined)
    throw new Error(`An architecture's line lacks its heads: ${line}`)
  return {
    name,
    class: kind,
    heads: Number(heads),
    width: Number(width),
    settings: new Map(settings.map((setting) => halves(setting))),
    inputs: new Map(
      back
        .split(' ')
        .filter((group) => group !== '')
        .flatMap((group) => {
          const [input, tags] = halves(group)
          return tags.split(',').map((tag): [string, TimmInput] => [tag, decodeInput(input)])
        }),
    ),
  }
}

function decodeInput(text: string): TimmInput {
  const [levels = '', crop = '', side = '', ...others] = text.split('/')
  const size = Number(side)
  return {
    normalisation: { name: levels, stats: levelsBy(levels) },
    preparation: {
      kind: 'fraction',
      size: [size, size],
      cropFraction: Number(crop),
      mode: others.includes('squash') ? 'squash' : 'center',
      filter: others.includes('bilinear') ? 'bilinear' : 'bicubic',
    },
  }
}

/** DINOv3's weights for pictures from satellites have levels of their own. */
const SATELLITE_STATS: RgbStats = { mean: [0.43, 0.411, 0.296], std: [0.213, 0.156, 0.143] }

function levelsBy(name: string): RgbStats {
  const stats: Readonly<Record<string, RgbStats | undefined>> = {
    ...NORMALISATIONS,
    satellite: SATELLITE_STATS,
  }
  const found = stats[name]
  if (found !== undefined) return found
  throw new Error(`An architecture's line names levels ${name}, which are none of the known ones.`)
}

function halves(text: string): readonly [before: string, after: string] {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}
