/**
 * Tells a network in other words that mean the same embedding, for layouts that have no others: CLIP's projection is the head of timm's networks, and what
 * transformers norms is the class token alone.
 */
import { zeros } from '../model/dialects/stored-weight.js'
import { defaultEmbedding } from '../model/plan-pooling.js'
import type { VitModel } from '../model/read-vit.js'
import type { VitConfig } from '../model/vit-config.js'
import type { Shape } from '../tensor/shape.js'
import type { ConvertSource } from './plan-written.js'
import type { ConvertedConfig } from './told-by-values.js'

/** Is a network in its own words or in others. */
export interface Retold {
  readonly source: ConvertSource
  /** Says in whole sentences what the words are. */
  readonly notes: readonly string[]
}

interface Way {
  /** Gives the config in other words; null where this network has nothing to tell in them. */
  readonly config: (config: ConvertedConfig, vit: VitModel) => Partial<VitConfig> | null
  /** Names weights in other words, each with its own name; null for one that the network does not have, which is zeros. */
  readonly names: ReadonlyMap<string, string | null>
  /** Lists weights that these words have no place for, which are zeros. */
  readonly without: readonly string[]
  readonly note: string
}

const HEAD = ['classifier.weight', 'classifier.bias', 'projection.weight'] as const

const WAYS: readonly Way[] = [
  {
    config: ({ projection, classifier }) =>
      projection === null || classifier !== null
        ? null
        : { projection: null, classifier: { classes: projection, kind: 'linear', bias: true } },
    names: new Map([
      [HEAD[0], HEAD[2]],
      [HEAD[1], null],
    ]),
    without: [],
    note: 'The projection to the space of texts is the head there, with a bias of zeros, as timm has it of CLIP: what is projected is given as scores of classes.',
  },
  {
    config: ({ classifier, headBias, projection }, { labels }) =>
      classifier?.kind === 'linear' && !headBias && projection === null && labels.names === null
        ? { classifier: null, projection: classifier.classes }
        : null,
    names: new Map([[HEAD[2], HEAD[0]]]),
    without: [HEAD[1]],
    note: 'The head, whose bias is zeros and whose classes have no names, is the projection to the space of texts there, as of CLIP.',
  },
  {
    config: ({ pooling, finalNorm }) =>
      pooling.kind === 'class' && finalNorm === 'tokens' ? { finalNorm: 'pooled' } : null,
    names: new Map(['weight', 'bias'].map((vector) => [`embedding_norm.${vector}`, `norm.${vector}`])),
    without: [],
    note: 'The last norm is on the class token alone there: what stands for an image is the same, and the tokens of patches are given without it.',
  },
]

/** Gives the network in its own words, then in others, those that change least first. */
export function retellings(source: ConvertSource): readonly Retold[] {
  const own: Retold = { source, notes: [] }
  const once = WAYS.flatMap((way) => told(own, way))
  const last = WAYS.at(-1)
  const twice = last === undefined ? [] : once.slice(0, -1).flatMap((one) => told(one, last))
  return [own, ...once, ...twice]
}

function told({ source, notes }: Retold, way: Way): readonly Retold[] {
  const changed = way.config(source.config, source.vit)
  if (changed === null) return []
  const config = withEmbedding({ ...source.config, ...changed })
  return [
    { source: { ...source, config, vit: renamed(source.vit, config, way) }, notes: [...notes, way.note] },
  ]
}

function withEmbedding<Config extends VitConfig>(config: Config): Config {
  return { ...config, embedding: defaultEmbedding(config) }
}

/** A weight that goes by another name is read by its own. */
function renamed(vit: VitModel, config: VitConfig, { names, without }: Way): VitModel {
  const hidden = new Set<string | null>([...names.values(), ...without])
  const weightShapes = new Map([...vit.weightShapes].filter(([name]) => !hidden.has(name)))
  for (const [name, own] of names) {
    const shape = own === null ? [config.classifier?.classes ?? 0] : vit.weightShapes.get(own)
    if (shape !== undefined) weightShapes.set(name, shape)
  }
  const ownName = (name: string) => (names.has(name) ? (names.get(name) ?? null) : name)
  return {
    ...vit,
    config,
    weightShapes,
    weights: {
      async read(name: string, shape: Shape) {
        const own = ownName(name)
        return own === null ? zeros(shape).combine() : await vit.weights.read(own, shape)
      },
    },
    storedAs: {
      ...vit.storedAs,
      weight(name, shape) {
        const own = ownName(name)
        return own === null ? zeros(shape) : vit.storedAs.weight(own, shape)
      },
    },
  }
}
