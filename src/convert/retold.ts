/**
 * Tells a network in other words that mean the same, for layouts that have no others: a bias of zeros is none, CLIP's projection is the head of timm's networks, a
 * classifier of the class token is one of class token and mean patch with zeros for the mean,
 * what transformers norms of CLIP is the class token alone, each library lets something else of a distilled DeiT stand for an image, and timm's pooling by attention is
 * AIMv2's head with a matrix and a net more.
 */
import { identity, type StoredWeight, zeros } from '../model/dialects/stored-weight.js'
import { POOLED_ROWS } from '../model/grid-tables.js'
import { defaultEmbedding } from '../model/plan-pooling.js'
import type { VitModel } from '../model/read-vit.js'
import type { Pooling, VitConfig } from '../model/vit-config.js'
import { type Shape, sizeAt } from '../tensor/shape.js'
import type { ConvertSource } from './convert-source.js'
import { textOf } from './holdings.js'
import type { ConvertedConfig } from './told-by-values.js'

/** Is a network in its own words or in others. */
export interface Retold {
  readonly source: ConvertSource
  /** Says in whole sentences what the words are. */
  readonly notes: readonly string[]
}

interface Way {
  /** Gives what of the config is told otherwise; null where this network has nothing to tell in these words. */
  readonly config: (config: ConvertedConfig, vit: VitModel) => Partial<VitConfig> | null
  /** Names weights in other words, each with what it is in the network's own. */
  readonly names: (config: VitConfig, vit: VitModel) => ReadonlyMap<string, Meant>
  /** Lists weights that these words have no place for, which are zeros. */
  readonly without: readonly string[]
  /** Lists tables that these words have no place for; default: none. */
  readonly withoutTables?: readonly string[]
  /** Gives the values of tables that these words have beside those of the network; default: none. */
  readonly withTables?: ReadonlyMap<string, Float32Array>
  readonly note: string
}

/** Is a weight of the network under its own name, or one of a shape that no tensor is. */
type Meant = string | { readonly zeros: Shape } | { readonly identity: Shape }

const HEAD = { weight: 'classifier.weight', bias: 'classifier.bias' } as const
const PROJECTION = 'projection.weight'

/** Leaves all tokens what they are. */
const ZERO_BIAS: Way = {
  config: ({ qkvBias }) => (qkvBias ? null : { qkvBias: true }),
  names: (_config, { weightShapes }) =>
    new Map(
      [...weightShapes]
        .filter(([name]) => name.endsWith('.attn.qkv.weight'))
        .map(([name, shape]) => [name.replace(/weight$/, 'bias'), { zeros: [sizeAt(shape, 0)] }]),
    ),
  without: [],
  note: 'Queries and values have biases there, which are zeros, since this network has none.',
}

const PROJECTION_AS_HEAD: Way = {
  config: ({ projection, classifier }) =>
    projection === null || classifier !== null
      ? null
      : { projection: null, classifier: { classes: projection, kind: 'linear', bias: true } },
  names: ({ classifier }) =>
    new Map<string, Meant>([
      [HEAD.weight, PROJECTION],
      [HEAD.bias, { zeros: [classifier?.classes ?? 0] }],
    ]),
  without: [],
  note: 'The projection to the space of texts is the head there, with a bias of zeros, as timm has it of CLIP: what is projected is given as scores of classes.',
}

const HEAD_AS_PROJECTION: Way = {
  config: ({ classifier, headBias, projection }, { labels }) =>
    classifier?.kind === 'linear' && !headBias && projection === null && labels.names === null
      ? { classifier: null, projection: classifier.classes }
      : null,
  names: () => new Map([[PROJECTION, HEAD.weight]]),
  without: [HEAD.bias],
  note: 'The head, whose bias is zeros and whose classes have no names, is the projection to the space of texts there, as of CLIP.',
}

const HEAD_BESIDE_MEAN: Way = {
  config: ({ classifier, pooling, finalNorm }) =>
    classifier?.kind === 'linear' && pooling.kind === 'class' && finalNorm === 'tokens'
      ? { classifier: { ...classifier, kind: 'class-and-mean' } }
      : null,
  names: ({ classifier, width }, { weightShapes }) =>
    new Map<string, Meant>([
      ['classifier.class.weight', HEAD.weight],
      ...(weightShapes.has(HEAD.bias) ? [['classifier.class.bias', HEAD.bias] as const] : []),
      ['classifier.mean.weight', { zeros: [classifier?.classes ?? 0, width] }],
    ]),
  without: [],
  note: 'The classifier reads the mean patch beside the class token there, with zeros for it, so that its scores are the same.',
}

const NORM_OF_CLASS: Way = {
  config: ({ pooling, finalNorm }) =>
    pooling.kind === 'class' && finalNorm === 'tokens' ? { finalNorm: 'pooled' } : null,
  names: () => new Map(['weight', 'bias'].map((vector) => [`embedding_norm.${vector}`, `norm.${vector}`])),
  without: [],
  note: 'The last norm is on the class token alone there: what stands for an image is the same, and the tokens of patches are given without it.',
}

/** Birder's Simple_ViT stores its table, which other libraries take for one that is learnt. */
const SINES_AS_LEARNT: Way = {
  config: ({ positions }) => {
    if (positions?.sines === undefined) return null
    const { sines: _, ...learnt } = positions
    return { positions: learnt }
  },
  names: () => new Map(),
  without: [],
  note: 'The table of positions, which this network makes anew for each size, is a learnt one there: at other sizes it is resampled, and the numbers differ.',
}

const BOTH_TOKENS: Pooling = { kind: 'special-rows', rows: [0, 1] }
const MEAN_OF_BOTH: Pooling = { kind: 'special-mean', rows: [0, 1] }

function isDistilled({ registers, classToken, pooling, classifier }: VitConfig): boolean {
  const isOne = [BOTH_TOKENS, MEAN_OF_BOTH].some((one) => textOf(one) === textOf(pooling))
  return registers === 1 && classToken && (isOne || classifier?.kind === 'distilled')
}

function distilledAs(pooling: Pooling, what: string): Way {
  return {
    config: (config) =>
      isDistilled(config) && textOf(config.pooling) !== textOf(pooling) ? { pooling } : null,
    names: () => new Map(),
    without: [],
    note: `What stands for an image is ${what} there. The tokens, and the scores of classes where there are some, are the same.`,
  }
}

const DISTILLED: readonly Way[] = [
  distilledAs(BOTH_TOKENS, 'the class token and the distillation token side by side'),
  distilledAs(MEAN_OF_BOTH, 'the mean of class token and distillation token'),
  distilledAs({ kind: 'class' }, 'the class token alone'),
]

/** C-RADIO stands for an image by some of its class tokens, of which others know the first. */
const FIRST_OF_SUMMARY: Way = {
  config: ({ pooling }) =>
    pooling.kind === 'special-rows' && typeof pooling.rows === 'number'
      ? { pooling: { kind: 'class' } }
      : null,
  names: () => new Map(),
  without: [],
  withoutTables: [POOLED_ROWS],
  note: 'What stands for an image is the first class token there, where the source lays those of its summary side by side. The tokens are the same.',
}

/** In C-RADIO of transformers a summary of some class tokens stands for an image, which may be one. */
const SUMMARY_OF_FIRST: Way = {
  config: ({ pooling }) => (pooling.kind === 'class' ? { pooling: { kind: 'special-rows', rows: 1 } } : null),
  names: () => new Map(),
  without: [],
  withTables: new Map([[POOLED_ROWS, Float32Array.of(0)]]),
  note: 'What stands for an image is called its summary there, which is the class token alone.',
}

const QUERY = 'attn_pool.q'
const POOL_NORM = 'attn_pool.norm'
/** Are the two layers of a pooling head's net. */
const POOL_NET = ['attn_pool.mlp.0', 'attn_pool.mlp.3'] as const

/** timm's pooling has a matrix for the query, and a net as wide as those of the blocks behind. */
const HEAD_AS_MAP: Way = {
  config: ({ pooling, hidden, norm }) =>
    pooling.kind === 'attention' && pooling.hidden === null && norm === 'rmsNorm'
      ? { pooling: { ...pooling, hidden, norm } }
      : null,
  names: ({ width, hidden }) =>
    new Map<string, Meant>([
      [`${QUERY}.weight`, { identity: [width, width] }],
      [`${QUERY}.bias`, { zeros: [width] }],
      [`${POOL_NORM}.weight`, { zeros: [width] }],
      [`${POOL_NET[0]}.weight`, { zeros: [hidden, width] }],
      [`${POOL_NET[0]}.bias`, { zeros: [hidden] }],
      [`${POOL_NET[1]}.weight`, { zeros: [width, hidden] }],
      [`${POOL_NET[1]}.bias`, { zeros: [width] }],
    ]),
  without: [],
  note: 'The pooling head has a matrix for its query there, which leaves it as it is, and a feed-forward net of zeros behind: what stands for an image is the same.',
}

const MAP_AS_HEAD: Way = {
  config: ({ pooling, barePooling }) => {
    if (pooling.kind !== 'attention' || !barePooling) return null
    const { norm: _, ...bare } = pooling
    return { pooling: { ...bare, hidden: null } }
  },
  names: () => new Map(),
  without: [QUERY, POOL_NORM, ...POOL_NET].flatMap((module) => [`${module}.weight`, `${module}.bias`]),
  note: 'The pooling head takes its query as it is there, and has no feed-forward net behind: the matrix of the one is the identity, and the other gives zeros.',
}

/** Lists what is told otherwise together, the least first. */
const WAYS: readonly (readonly Way[])[] = [
  [],
  [ZERO_BIAS],
  [PROJECTION_AS_HEAD],
  [HEAD_AS_PROJECTION],
  [HEAD_BESIDE_MEAN],
  [NORM_OF_CLASS],
  [HEAD_AS_PROJECTION, NORM_OF_CLASS],
  [SINES_AS_LEARNT],
  ...DISTILLED.map((way) => [way]),
  [FIRST_OF_SUMMARY],
  [SUMMARY_OF_FIRST],
  [HEAD_AS_MAP],
  [MAP_AS_HEAD],
]

/** Gives the network in its own words, then in others. */
export function retellings(source: ConvertSource): readonly Retold[] {
  return WAYS.flatMap((ways) => {
    let retold: Retold | null = { source, notes: [] }
    for (const way of ways) retold = retold === null ? null : toldOrNull(retold, way)
    return retold === null ? [] : [retold]
  })
}

function toldOrNull({ source, notes }: Retold, way: Way): Retold | null {
  const changed = way.config(source.config, source.vit)
  if (changed === null) return null
  const config = withEmbedding({ ...source.config, ...changed })
  return { source: { ...source, config, vit: renamed(source.vit, config, way) }, notes: [...notes, way.note] }
}

function shapeOf(meant: Exclude<Meant, string>): Shape {
  return 'zeros' in meant ? meant.zeros : meant.identity
}

function toldAs(meant: Exclude<Meant, string>): StoredWeight {
  return 'zeros' in meant ? zeros(meant.zeros) : identity(meant.identity)
}

/** No tensor of the source is the table. */
function made(values: Float32Array): StoredWeight {
  return { parts: [], combine: () => values }
}

function withEmbedding<Config extends VitConfig>(config: Config): Config {
  return { ...config, embedding: defaultEmbedding(config) }
}

/** A weight that goes by another name is read by its own. */
function renamed(vit: VitModel, config: VitConfig, way: Way): VitModel {
  const names = way.names(config, vit)
  const hidden = new Set<unknown>([...names.values(), ...way.without])
  const weightShapes = new Map([...vit.weightShapes].filter(([name]) => !hidden.has(name)))
  for (const [name, meant] of names) {
    const shape = typeof meant === 'string' ? vit.weightShapes.get(meant) : shapeOf(meant)
    if (shape !== undefined) weightShapes.set(name, shape)
  }
  const added = [...(way.withTables ?? [])]
  const isKept = ([name]: readonly [string, unknown]) => way.withoutTables?.includes(name) !== true
  const meantBy = (name: string): Meant => names.get(name) ?? name
  return {
    ...vit,
    config,
    weightShapes,
    weights: {
      async read(name: string, shape: Shape) {
        const meant = meantBy(name)
        return typeof meant === 'string' ? await vit.weights.read(meant, shape) : toldAs(meant).combine()
      },
    },
    readTables: async () => new Map([...[...(await vit.readTables())].filter(isKept), ...added]),
    storedAs: {
      ...vit.storedAs,
      tables: new Map([
        ...[...vit.storedAs.tables].filter(isKept),
        ...added.map(([name, values]) => [name, made(values)] as const),
      ]),
      weight(name, shape) {
        const meant = meantBy(name)
        return typeof meant === 'string' ? vit.storedAs.weight(meant, shape) : toldAs(meant)
      },
    },
  }
}
