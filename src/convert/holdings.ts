/**
 * Says of a layout which networks it holds, as a table with a row for what it has beyond a plain vision transformer. What no row names must be as a plain
 * one has it, so that a new field of a network is held by no layout until somebody has said that it is.
 */
import { PLAIN, type Pooling, type VitConfig } from '../model/vit-config.js'
import type { ConvertedConfig } from './told-by-values.js'

/** Names a part of a network that a layout holds or not: all that counts for its numbers, but sizes, which every layout has. */
export type Part = Exclude<
  keyof VitConfig,
  | 'network'
  | 'size'
  | 'channels'
  | 'patchSize'
  | 'width'
  | 'depth'
  | 'heads'
  | 'hidden'
  | 'classFirst'
  | 'embedding'
  | 'taps'
  | 'rgbStats'
>

/** Lists the values that a layout holds, or says of a network what is in the way; null where nothing is. */
export type Held = 'any' | readonly unknown[] | ((config: ConvertedConfig) => string | null)

export type Holdings = Readonly<Partial<Record<Part, Held>>>

/** Says in words what each part is. */
export const PART_NAMES: Readonly<Record<Part, string>> = {
  classToken: 'class token',
  registers: 'registers',
  norm: 'kind of norm',
  epsilon: 'epsilon of the norms',
  preNorm: 'norm in front of the blocks',
  finalNorm: 'place of the last norm',
  qkvBias: 'bias of queries, keys and values',
  queryKeyNorm: 'norms of queries and keys',
  attentionNorm: 'norm on the merged heads',
  rotary: 'rotary positions',
  bias: 'relative positions',
  block: 'order of norms in a block',
  branches: 'branches side by side',
  layerScale: 'layer scales',
  mlp: 'kind of feed-forward net',
  experts: 'experts',
  activation: 'activation',
  stem: 'way from pixels to patches',
  windows: 'windows of attention',
  neck: 'neck behind the blocks',
  head: 'head behind the blocks',
  pooling: 'pooling',
  pooler: 'layer behind the pooling',
  projection: 'projection to the space of texts',
  classifier: 'classifier',
  positions: 'position table',
  sines: 'positions of sines',
}

/** Is what a plain network has of parts that only some layouts have otherwise. */
const PLAIN_PARTS: Readonly<Partial<Record<Part, unknown>>> = {
  ...PLAIN,
  classToken: true,
  registers: 0,
  epsilon: 1e-6,
  layerScale: false,
  mlp: 'ffn',
  activation: 'gelu',
  pooling: { kind: 'class' },
}

/** Is what of a network a layout does not hold. */
export interface Lack {
  /** Says it in words. */
  readonly reason: string
  /** Tells that the layout has no such part beyond what a plain network has of it. */
  readonly isForeign: boolean
}

/** Gives nothing where a layout holds all of a network. */
export function lacksOf(holdings: Holdings, config: ConvertedConfig): readonly Lack[] {
  return (Object.keys(PART_NAMES) as Part[]).flatMap((part) => {
    const reason = lackOf(part, holdings, config)
    if (reason === null) return []
    const isOther = part === 'pooling' && choosesPooling(config)
    return isOther &&
      OTHER_POOLINGS.some((pooling) => lackOf(part, holdings, { ...config, pooling }) === null)
      ? []
      : [{ reason, isForeign: holdings[part] === undefined }]
  })
}

function lackOf(part: Part, holdings: Holdings, config: ConvertedConfig): string | null {
  const held = holdings[part] ?? [PLAIN_PARTS[part]]
  if (held === 'any') return null
  if (typeof held === 'function') return held(config)
  const value = config[part]
  if (held.some((one) => textOf(one) === textOf(value))) return null
  return `${PART_NAMES[part]}: ${textOf(value)}, where it has ${held.map(textOf).join(' or ')}`
}

const OTHER_POOLINGS: readonly Pooling[] = [{ kind: 'class' }, { kind: 'mean' }]

/**
 * Tells whether what stands for an image is a choice of whoever asks, which libraries make otherwise by default: nothing behind the blocks rests on the
 * class token or on the mean of the patches.
 */
export function choosesPooling(config: VitConfig): boolean {
  const { pooling, classToken, finalNorm, pooler, projection, classifier, head, neck } = config
  const isBare = [pooler, projection, classifier, head, neck].every((part) => part === null)
  return (
    isBare &&
    classToken &&
    finalNorm !== 'pooled' &&
    OTHER_POOLINGS.some((one) => textOf(one) === textOf(pooling))
  )
}

/** A flag that is absent and one that is false say the same, and so do a part that is absent and none. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  if (typeof value !== 'object') return String(value)
  const told = Object.entries(value).filter(([, one]) => one !== false && one !== undefined)
  const { kind, ...others } = Object.fromEntries(told)
  const rest = Object.entries(others).map(([name, one]) => `${name} ${textOf(one)}`)
  return [...(kind === undefined ? [] : [String(kind)]), ...rest.sort()].join(', ')
}
