/** Writes transformers' ViT, DeiT and I-JEPA; where there is a classifier the network has its own name in front of its tensors. */
import { writtenSource } from '../../model/dialects/layout.js'
import { teacherSource, transformersLayouts } from '../../model/families/transformers-layout.js'
import type { VitConfig } from '../../model/vit-config.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { distilledClassifier, linearClassifier } from './linear-classifier.js'
import { squareTable } from './positions-held.js'
import { ACTIVATIONS, activationName, commonFields, processorFile } from './transformers-files.js'

interface Kind {
  readonly modelType: 'vit' | 'deit' | 'ijepa'
  /** Begins the names of its classes. */
  readonly name: 'ViT' | 'DeiT' | 'IJepa'
  readonly classToken: boolean
  readonly registers: 0 | 1
}

const KINDS: readonly Kind[] = [
  { modelType: 'vit', name: 'ViT', classToken: true, registers: 0 },
  { modelType: 'deit', name: 'DeiT', classToken: true, registers: 1 },
  { modelType: 'ijepa', name: 'IJepa', classToken: false, registers: 0 },
]

export const huggingFaceVitWriters: readonly Writer[] = KINDS.map(writerOf)

function writerOf(kind: Kind): Writer {
  const { modelType, name, classToken, registers } = kind
  const layoutOf = ({ classifier }: VitConfig) => {
    const [layout] = transformersLayouts([classifier === null ? '' : `${modelType}.`])
    if (layout === undefined) throw new Error('transformers has no layout of a vision transformer.')
    return layout
  }
  return {
    library: 'hugging-face',
    class: `${name}Model`,
    holds: {
      classToken: [classToken],
      registers: [registers],
      epsilon: 'any',
      qkvBias: 'any',
      activation: ACTIVATIONS,
      pooler: (config) =>
        config.pooler === null || (config.classifier === null && ACTIVATIONS.includes(config.pooler))
          ? null
          : `layer behind the pooling: ${config.pooler}${config.classifier === null ? '' : ' beside a classifier'}`,
      pooling: [{ kind: classToken ? 'class' : 'mean' }],
      classifier: (config) =>
        modelType === 'deit' && config.classifier?.kind === 'distilled'
          ? distilledClassifier(config)
          : linearClassifier(config),
      positions: squareTable,
    },
    source: (weight, shape, config) =>
      (config.classifier?.kind === 'distilled' ? teacherSource(weight, shape) : null) ??
      writtenSource(layoutOf(config))(weight, shape, config),
    positions: (config) => ({
      tensor: layoutOf(config).positions,
      special: registers + (classToken ? 1 : 0),
    }),
    files: (network) => files(kind, network),
    notes: ({ pooler, classifier }) =>
      classToken && pooler === null && classifier === null
        ? [
            `transformers' ${name}Model makes a pooler of random numbers where a file has none: ask for it with add_pooling_layer=False, and take last_hidden_state[:, 0] for the embedding.`,
          ]
        : [],
  }
}

/** Ends the name of the class with a head of the kind, where it is not the usual one. */
const HEADS: { readonly [kind: string]: string } = {
  none: 'Model',
  distilled: 'ForImageClassificationWithTeacher',
}

function files({ modelType, name }: Kind, network: WrittenNetwork): WrittenFiles {
  const { config, recipe } = network
  const processor = processorFile(recipe, 'ViTImageProcessor')
  return {
    configFile: {
      ...commonFields(network, {
        modelType,
        architecture: `${name}${HEADS[config.classifier?.kind ?? 'none'] ?? 'ForImageClassification'}`,
      }),
      qkv_bias: config.qkvBias,
      intermediate_size: config.hidden,
      ...(config.pooler === null ? {} : { pooler_act: activationName(config.pooler) }),
    },
    ...(processor === undefined ? {} : { preprocessorFile: processor }),
  }
}
