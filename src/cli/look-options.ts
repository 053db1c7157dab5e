/** Holds the options by which a command takes attention, facets and overlapping patches out of a network, and what they come to for a model. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { assertAllowed, settleAttention } from '../encoder/attention-map.js'
import { blockIndex } from '../encoder/block-index.js'
import { checkInspection } from '../encoder/check-inspection.js'
import { given } from '../encoder/choose-recipe.js'
import { encodeLike, METHOD_NAMES, type MethodName } from '../encoder/like.js'
import type {
  AttentionChoice,
  AttentionFrom,
  AttentionHeads,
  FacetChoice,
  FacetKind,
  FeatureChoice,
} from '../encoder/types.js'
import type { Recipe } from '../image/recipe.js'
import { hasSizesOfItsOwn } from '../image/resize.js'
import { patchesAlong } from '../model/overlap.js'
import { nearestNames } from '../nearest-names.js'
import type { FileEncoder } from '../work/file-encoder.js'
import { parseHeads } from './attention-heads.js'
import { UsageError } from './cli-error.js'
import { positiveInteger } from './model-options.js'

type NamedTokens = Extract<AttentionFrom, string>

export interface LookOptions {
  /** Numbers the blocks; true where none was named. */
  readonly attention?: true | 'all' | readonly number[]
  readonly attentionHeads?: AttentionHeads
  readonly attentionFrom?: NamedTokens
  readonly attentionBytes?: number
  readonly facets?: readonly FacetChoice[]
  readonly stride?: number
  readonly like?: MethodName
}

const TOKENS: readonly NamedTokens[] = ['class', 'registers', 'special', 'patches', 'all', 'probe']
const FACETS: readonly FacetKind[] = ['q', 'k', 'v', 'token']
const WAYS = ['normed', 'by-channel'] as const

/** Films have taken `--from`, and models `--heads`. */
export function addLookOptions(command: Command): Command {
  return command
    .option(
      '--attention [layers]',
      'attention weights [heads, rows, patches] of blocks such as 0,-1, or all (default: the last)',
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
      '--facets <list>',
      'queries, keys, values or tokens of blocks, [patches, D]: q:-1,k:11,token:5; token:-1:normed is behind the final norm, q:-1:normed behind that of the heads, k:-1:by-channel has the heads of a channel side by side',
      parseFacets,
    )
    .option(
      '--stride <n>',
      "pixels from one patch to the next: less than a patch's side gives a denser map",
      positiveInteger,
    )
    .addOption(
      new Option(
        '--like <method>',
        `facet and stride, or with --attention layers, heads, rows and stride, as another tool has them: ${METHOD_NAMES.join(', ')}; sizes stay as chosen`,
      ).argParser((text) => nameAmong(METHOD_NAMES, text)),
    )
}

/** Is what the options come to for a model. */
export interface Look {
  readonly choice: FeatureChoice
  /** Names the arrays, as `Wanted` has them. */
  readonly attention: readonly string[]
  readonly facets: readonly string[]
  /** Says what the names do not, for the work's identity. */
  readonly what: string
}

/** Throws UsageError for options that contradict each other, or that have nothing to say something about. */
export function assertLookOptions(options: LookOptions): void {
  const { attention, attentionHeads: heads, attentionFrom: from, attentionBytes: bytes, like } = options
  const details = given({ '--attention-heads': heads, '--attention-from': from })
  const [detail] = Object.keys({ ...details, ...given({ '--attention-bytes': bytes }) })
  if (detail !== undefined && attention === undefined)
    throw new UsageError(`${detail} says something about attention: add --attention, or leave it out.`)
  if (like === undefined) return
  const layers = attention === true ? undefined : attention
  const others = given({
    '--facets': options.facets,
    '--stride': options.stride,
    '--attention with layers': layers,
  })
  const [twice] = Object.keys({ ...others, ...details })
  if (twice !== undefined)
    throw new UsageError(`--like ${like} sets what ${twice} sets: leave one of the two out.`)
}

/** Names what was asked for by the numbers it was asked by, which tell how many arrays there are before a model is loaded. */
export function namesAsked({
  attention,
  facets = [],
  like,
}: LookOptions): Pick<Look, 'attention' | 'facets'> {
  const layers = Array.isArray(attention) ? attention : ['last']
  return {
    attention: attention === undefined ? [] : layers.map((layer) => `attention.${layer}`),
    facets:
      like !== undefined && attention === undefined
        ? [`facet like ${like}`]
        : [...new Set(facets.map(facetName))],
  }
}

/** Settles the options for a model. Throws UsageError for what it has not, and for attention of more bytes than are allowed where each image has one size. */
export function lookingInto(options: LookOptions, encoder: FileEncoder): Look {
  try {
    const choice = choiceOf(options, encoder)
    checkInspection(choice, encoder)
    if (choice.attention !== undefined) assertRoom(choice.attention, encoder, choice.stride)
    return { choice, ...namesOf(choice, encoder) }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const names =
      ' On the command line these are --attention, --attention-heads, --attention-from and --attention-bytes.'
    throw new UsageError(`${error.message}${/attention\.\w/.test(error.message) ? names : ''}`)
  }
}

function choiceOf(options: LookOptions, encoder: FileEncoder): FeatureChoice {
  const { attention, attentionHeads: heads, attentionFrom: from, attentionBytes: maxBytes, like } = options
  if (like !== undefined) {
    const choice = encodeLike(like, attention === undefined ? 'patches' : 'attention', encoder)
    return choice.attention === undefined
      ? choice
      : { ...choice, attention: { ...choice.attention, ...given({ maxBytes }) } }
  }
  const all = Array.from({ length: encoder.depth }, (_, block) => block)
  const layers = attention === 'all' ? all : attention === true ? undefined : attention
  const facets = options.facets && numbered(options.facets, encoder.depth)
  return given({
    attention: attention === undefined ? undefined : given({ layers, heads, from, maxBytes }),
    facets,
    stride: options.stride,
  })
}

/** One block may be named by two numbers: it has one array. */
function numbered(facets: readonly FacetChoice[], depth: number): readonly FacetChoice[] {
  const named = facets.map((facet) => {
    const settled = { ...facet, layer: blockIndex(facet.layer, depth) }
    return [facetName(settled), settled] as const
  })
  return [...new Map(named).values()]
}

/** What would make every single image fail is told before the first. */
function assertRoom(choice: AttentionChoice, encoder: FileEncoder, stride = encoder.patchSize): void {
  const { recipe } = JSON.parse(encoder.identity.settings) as { readonly recipe?: Pick<Recipe, 'resize'> }
  if (recipe === undefined || hasSizesOfItsOwn(recipe.resize)) return
  const [rows, columns] = encoder.size.map((side) => patchesAlong(side, encoder.patchSize, stride))
  if (rows !== undefined && columns !== undefined) assertAllowed(encoder, { rows, columns }, choice)
}

function namesOf({ attention, facets = [] }: FeatureChoice, encoder: FileEncoder): Omit<Look, 'choice'> {
  const names = facets.map((facet) => facetName({ ...facet, layer: blockIndex(facet.layer, encoder.depth) }))
  if (attention === undefined) return { attention: [], facets: names, what: '' }
  const { blocks, heads, from } = settleAttention(attention, encoder)
  return {
    attention: (blocks ?? ['probe']).map((block) => `attention.${block}`),
    facets: names,
    what: `, heads ${String(heads)} from ${String(from)}`,
  }
}

function facetName({ of, layer, normed = false, columns }: FacetChoice): string {
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

function parseBlocks(text: string): 'all' | readonly number[] {
  if (text === 'all') return text
  const blocks = text.split(',').map(Number)
  if (blocks.every(Number.isSafeInteger) && text.trim() !== '') return blocks
  throw new InvalidArgumentError(
    `Expected numbers of blocks such as 0,-1, or all; found ${text}. To take the last block, put --attention behind the inputs, or say --attention=-1.`,
  )
}

function nameAmong<Name extends string>(names: readonly Name[], text: string): Name {
  const found = names.find((name) => name === text)
  if (found !== undefined) return found
  const [nearest] = nearestNames(text, names, 1)
  throw new InvalidArgumentError(`Expected ${names.join(', ')}; found ${text}. Did you mean ${nearest}?`)
}
