/**
 * Reads the lines in which timm's architectures are kept (timm-lines.ts), for what no tensor tells: heads, epsilon, activation, pooling, and how
 * each published set of weights wants its images. A line is:
 *
 *     name heads width [key=value ...] : levels/crop/size[/crop mode][/interpolation]=tag,tag ... [levels/…=tag …]
 *
 * The first tag is the one that timm takes where none is named; `-` stands for an architecture without one.
 */
import type { FractionPreparation } from '../../image/preparation.js'
import { NORMALISATIONS, type NormalisationName } from '../normalisation.js'
import { TIMM_LINES } from './timm-lines.js'

export interface TimmArchitecture {
  readonly name: string
  readonly heads: number
  readonly width: number
  /** Holds what the architecture sets otherwise than timm's class does, by keys of timm-lines.ts. */
  readonly settings: ReadonlyMap<string, string>
  readonly inputs: ReadonlyMap<string, TimmInput>
}

/** Says how images are made for one published set of weights. */
export interface TimmInput {
  readonly normalisation: NormalisationName
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
  decoded ??= decodeArchitectures(TIMM_LINES)
  return decoded.get(name) ?? null
}

export function timmArchitectures(): readonly TimmArchitecture[] {
  decoded ??= decodeArchitectures(TIMM_LINES)
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

function decodeArchitectures(lines: string): ReadonlyMap<string, TimmArchitecture> {
  return new Map(
    lines
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), decodeLine(line)]),
  )
}

function decodeLine(line: string): TimmArchitecture {
  const [front = '', back = ''] = line.split(' : ')
  const [name, heads, width, ...settings] = front.split(' ')
  if (name === undefined || heads === undefined || width === undefined)
    throw new Error(`An architecture's line lacks its heads: ${line}`)
  return {
    name,
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
    normalisation: Object.keys(NORMALISATIONS).find((name) => name === levels) as NormalisationName,
    preparation: {
      kind: 'fraction',
      size: [size, size],
      cropFraction: Number(crop),
      mode: others.includes('squash') ? 'squash' : 'center',
      filter: others.includes('bilinear') ? 'bilinear' : 'bicubic',
    },
  }
}

function halves(text: string): readonly [before: string, after: string] {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}
