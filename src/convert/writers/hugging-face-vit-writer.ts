/** Writes transformers' ViT and DeiT; where there is a classifier the network has its own name in front of its tensors. */
import { writtenSource } from '../../model/dialects/layout.js'
import { transformersLayouts } from '../../model/families/transformers-layout.js'
import type { VitConfig } from '../../model/vit-config.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { linearClassifier } from './linear-classifier.js'
import { squareTable } from './positions-held.js'
import { ACTIVATIONS, activationName, commonFields, processorFile } from './transformers-files.js'

interface Kind {
  readonly modelType: 'vit' | 'deit'
  /** Begins the names of its classes. */
  readonly name: 'ViT' | 'DeiT'
  readonly registers: 0 | 1
}

const KINDS: readonly Kind[] = [
  { modelType: 'vit', name: 'ViT', registers: 0 },
  { modelType: 'deit', name: 'DeiT', registers: 1 },
]

export const huggingFaceVitWriters: readonly Writer[] = KINDS.map(writerOf)

function writerOf(kind: Kind): Writer {
  const { modelType, name, registers } = kind
  const layoutOf = ({ classifier }: VitConfig) => {
    const [layout] = transformersLayouts([classifier === null ? '' : `${modelType}.`])
    if (layout === undefined) throw new Error('transformers has no layout of a vision transformer.')
    return layout
  }
  return {
    library: 'hugging-face',
    class: `${name}Model`,
    holds: {
      registers: [registers],
      epsilon: 'any',
      qkvBias: 'any',
      activation: ACTIVATIONS,
      pooler: (config) =>
        config.pooler === null || (config.classifier === null && ACTIVATIONS.includes(config.pooler))
          ? null
          : `layer behind the pooling: ${config.pooler}${config.classifier === null ? '' : ' beside a classifier'}`,
      classifier: linearClassifier,
      positions: squareTable,
    },
    source: (weight, shape, config) => writtenSource(layoutOf(config))(weight, shape, config),
    positions: (config) => ({ tensor: layoutOf(config).positions, special: 1 + registers }),
    files: (network) => files(kind, network),
    notes: ({ pooler, classifier }) =>
      pooler === null && classifier === null
        ? [
            `transformers' ${name}Model makes a pooler of random numbers where a file has none: ask for it with add_pooling_layer=False, and take last_hidden_state[:, 0] for the embedding.`,
          ]
        : [],
  }
}

function files({ modelType, name }: Kind, network: WrittenNetwork): WrittenFiles {
  const { config, recipe } = network
  const processor = processorFile(recipe, 'ViTImageProcessor')
  return {
    configFile: {
      ...commonFields(network, {
        modelType,
        architecture: config.classifier === null ? `${name}Model` : `${name}ForImageClassification`,
      }),
      qkv_bias: config.qkvBias,
      intermediate_size: config.hidden,
      ...(config.pooler === null ? {} : { pooler_act: activationName(config.pooler) }),
    },
    ...(processor === undefined ? {} : { preprocessorFile: processor }),
  }
}
