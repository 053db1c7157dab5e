/** Writes transformers' BEiT; where there is a classifier the network has its own name in front of its tensors. */
import { writtenSource } from '../../model/dialects/layout.js'
import { biasTables } from '../../model/families/hugging-face-beit.js'
import { type TransformersLayout, transformersLayouts } from '../../model/families/transformers-layout.js'
import type { VitConfig } from '../../model/vit-config.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { biasOfKeys, learntBias } from './beit-held.js'
import { linearClassifier } from './linear-classifier.js'
import { poolingWithNorm } from './pooling-held.js'
import { squareTable } from './positions-held.js'
import { ACTIVATIONS, commonFields, processorFile } from './transformers-files.js'
import { withoutKeyBias } from './without-key-bias.js'

export const huggingFaceBeitWriter: Writer = {
  library: 'hugging-face',
  class: 'BeitModel',
  holds: {
    epsilon: 'any',
    finalNorm: 'any',
    qkvBias: (config) => (config.qkvBias ? biasOfKeys(config) : 'queries and values without a bias'),
    bias: squareBias,
    layerScale: 'any',
    activation: ACTIVATIONS,
    pooling: poolingWithNorm,
    classifier: linearClassifier,
    positions: (config) => (config.positions === null ? null : squareTable(config)),
  },
  source: (weight, shape, config) => {
    const layout = layoutOf(config)
    return writtenSource(withoutKeyBias(layout, layout.qkv))(weight, shape, config)
  },
  positions: (config) => ({ tensor: layoutOf(config).positions, special: 1 }),
  tables: (config) => biasTables(layoutOf(config), config),
  files,
}

function layoutOf({ classifier }: VitConfig): TransformersLayout {
  const [layout] = transformersLayouts([classifier === null ? '' : 'beit.'])
  if (layout === undefined) throw new Error('transformers has no layout of BEiT.')
  return layout
}

/** transformers reads the table of a rectangle with its sides exchanged, so that only a square is what it was. */
function squareBias(config: VitConfig): string | null {
  const { rows, columns } = config.bias ?? { rows: 0, columns: 0 }
  return rows === columns
    ? learntBias(config)
    : `relative positions: a table of ${rows} x ${columns} patches, whose sides it exchanges unless they are alike`
}

function files(network: WrittenNetwork): WrittenFiles {
  const { config, recipe } = network
  const { bias, classifier, finalNorm } = config
  const processor = processorFile(recipe, 'BeitImageProcessor')
  return {
    configFile: {
      ...commonFields(network, {
        modelType: 'beit',
        architecture: classifier === null ? 'BeitModel' : 'BeitForImageClassification',
      }),
      intermediate_size: config.hidden,
      layer_scale_init_value: config.layerScale ? 0.1 : 0,
      use_absolute_position_embeddings: config.positions !== null,
      use_relative_position_bias: bias !== null && !bias.isShared,
      use_shared_relative_position_bias: bias?.isShared === true,
      use_mean_pooling: finalNorm === 'pooled',
      use_mask_token: false,
    },
    ...(processor === undefined ? {} : { preprocessorFile: processor }),
  }
}
