/** Holds the options by which a command takes attention, facets and overlapping patches out of a network. */
import { type Command, InvalidArgumentError } from 'commander'
import { given } from '../encoder/choose-recipe.js'
import { METHOD_NAMES, type MethodName } from '../encoder/like.js'
import type { AttentionFrom, AttentionHeads, FacetChoice, FacetKind } from '../encoder/types.js'
import { nearestNames } from '../nearest-names.js'
import { parseHeads } from './attention-heads.js'
import { UsageError } from './cli-error.js'
import type { Wanted } from './feature-arrays.js'
import { sizedLike, withSize } from './look-like.js'
import { type ModelOptions, positiveInteger } from './model-options.js'

type NamedTokens = Extract<AttentionFrom, string>

/** Names a tool, and which of the two things it looks at. */
interface Like {
  readonly name: MethodName
  readonly show: 'patches' | 'attention'
}

export interface LookOptions {
  /** Numbers the blocks, or says which. */
  readonly attention?: 'last' | 'all' | readonly number[]
  readonly attentionHeads?: AttentionHeads
  readonly attentionFrom?: NamedTokens
  readonly attentionBytes?: number
  readonly attentionInexact?: boolean
  readonly facets?: readonly FacetChoice[]
  readonly stride?: number
  readonly like?: Like
}

const TOKENS: readonly NamedTokens[] = ['class', 'registers', 'special', 'patches', 'all', 'probe']
const FACETS: readonly FacetKind[] = ['q', 'k', 'v', 'token']
const WAYS = ['normed', 'by-channel'] as const

/** Films have taken `--from`, and models `--heads`. */
export function addLookOptions(command: Command): Command {
  return command
    .option(
      '--attention <layers>',
      'attention weights [heads, rows, patches] of blocks: last, all, or numbers such as 0,-1',
      parseBlocks,
    )
    .option(
      '--attention-heads <heads>',
      'each by itself, mean, max or min of all, or numbers such as 0,3 (default: each)',
      parseHeads,
    )
    .option(
      '--attention-from <tokens>',
      `whose attention: ${TOKENS.join(', ')} (default: class; in a network without one, probe)`,
      (text: string) => nameAmong(TOKENS, text),
    )
    .option(
      '--attention-bytes <n>',
      'most bytes that the attention weights of one image may have (default: 1 GiB)',
      positiveInteger,
    )
    .option(
      '--attention-inexact',
      'take attention as it is where int8 multiplies in bytes, which is refused otherwise: rows are up to 0.01 off in their cosine',
    )
    .option(
      '--facets <list>',
      'queries, keys, values or tokens of blocks, [patches, D]: q:-1,k:11,token:5; token:-1:normed is behind the final norm, q:-1:normed behind that of the heads, k:-1:by-channel has the heads of a channel side by side',
      parseFacets,
    )
    .option(
      '--stride <n>',
      "pixels from one patch to the next: less than a patch's side gives a denser map",
      positiveInteger,
    )
    .option(
      '--like <method>',
      `the patches, or the attention (dinov3:attention), that another tool looks at, with its stride and its size where none is given (${METHOD_NAMES.map(withSize).join(', ')})`,
      parseLike,
    )
}

/** Has images come to the size of the tool that is followed, unless their size was chosen. */
export function withSizeLike<Options extends LookOptions & SizeOptions>(options: Options): Options {
  return sizedLike(options.like?.name, options)
}

type SizeOptions = Pick<ModelOptions, 'size' | 'recipe' | 'shortest' | 'longest' | 'scale'>

/** Throws UsageError for options that contradict each other, or that have nothing to say something about. */
export function assertLookOptions({ like, ...options }: LookOptions): void {
  const { attention, attentionHeads, attentionFrom, attentionBytes, attentionInexact, facets, stride } =
    options
  const details = given({ '--attention-heads': attentionHeads, '--attention-from': attentionFrom })
  const set = given({ '--attention': attention, ...details, '--facets': facets, '--stride': stride })
  const [twice] = Object.keys(set)
  if (like !== undefined && twice !== undefined)
    throw new UsageError(`--like ${like.name} sets what ${twice} sets: leave one of the two out.`)
  const limits = given({ '--attention-bytes': attentionBytes, '--attention-inexact': attentionInexact })
  const [detail] = Object.keys({ ...details, ...limits })
  if (detail !== undefined && attention === undefined && like?.show !== 'attention')
    throw new UsageError(`${detail} says something about attention: add --attention, or leave it out.`)
}

/** Names what was asked for by the numbers it was asked by, which tell how many arrays there are before a model is loaded. */
export function namesAsked({
  attention,
  facets = [],
  like,
}: LookOptions): Pick<Wanted, 'attention' | 'facets'> {
  if (like !== undefined) {
    const names = [`${like.show} like ${like.name}`]
    return like.show === 'attention' ? { attention: names, facets: [] } : { attention: [], facets: names }
  }
  const layers = attention === undefined ? [] : typeof attention === 'string' ? [attention] : attention
  return {
    attention: layers.map((layer) => `attention.${layer}`),
    facets: [...new Set(facets.map(facetName))],
  }
}

/** Names the array of a facet, by the number it has there. */
export function facetName({ of, layer, normed = false, columns }: FacetChoice): string {
  return `${of}.${layer}${normed ? '.normed' : ''}${columns === 'by-channel' ? '.by-channel' : ''}`
}

function parseFacets(text: string): readonly FacetChoice[] {
  return text.split(',').map(parseFacet)
}

function parseFacet(text: string): FacetChoice {
  const [kind = '', number = '', ...ways] = text.trim().split(':')
  const of = nameAmong(FACETS, kind)
  const layer = Number(number)
  if (number.trim() === '' || !Number.isSafeInteger(layer))
    throw new InvalidArgumentError(
      `Expected the number of a block behind ${of}, such as ${of}:-1; found ${text}.`,
    )
  const named = ways.map((way) => nameAmong(WAYS, way))
  return {
    layer,
    of,
    ...(named.includes('normed') ? { normed: true } : {}),
    ...(named.includes('by-channel') ? { columns: 'by-channel' } : {}),
  }
}

function parseBlocks(text: string): 'last' | 'all' | readonly number[] {
  if (text === 'last' || text === 'all') return text
  const blocks = text.split(',').map(Number)
  if (blocks.every(Number.isSafeInteger) && text.trim() !== '') return blocks
  throw new InvalidArgumentError(`Expected last, all, or numbers of blocks such as 0,-1; found ${text}.`)
}

function parseLike(text: string): Like {
  const [name = '', show = 'patches', ...others] = text.split(':')
  if (others.length > 0)
    throw new InvalidArgumentError(`Expected a method such as dinov3 or dinov3:attention; found ${text}.`)
  return { name: nameAmong(METHOD_NAMES, name), show: nameAmong(['patches', 'attention'], show) }
}

function nameAmong<Name extends string>(names: readonly Name[], text: string): Name {
  const found = names.find((name) => name === text)
  if (found !== undefined) return found
  const [nearest] = nearestNames(text, names, 1)
  throw new InvalidArgumentError(`Expected ${names.join(', ')}; found ${text}. Did you mean ${nearest}?`)
}
