/** Writes C-RADIO of transformers: class tokens and registers in one tensor, a table of positions that may be larger than the images, and no norm at the end. */

import { stored } from '../../model/dialects/stored-weight.js'
import { RADIO_POSITIONS, radioSummary, radioTarget } from '../../model/families/hugging-face-radio.js'
import { POOLED_ROWS, POSITIONS } from '../../model/grid-tables.js'
import type { Pooling } from '../../model/vit-config.js'
import { textOf } from '../holdings.js'
import type { ConvertedConfig } from '../told-by-values.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { ratioOf } from './timm-files.js'
import { ACTIVATIONS, commonFields, processorFile } from './transformers-files.js'

export const huggingFaceRadioWriter: Writer = {
  library: 'hugging-face',
  class: 'RadioModel',
  holds: {
    registers: 'any',
    epsilon: 'any',
    finalNorm: ['none'],
    qkvBias: 'any',
    layerScale: 'any',
    mlp: ({ mlp, hidden }) => {
      if (mlp === 'ffn' || (mlp === 'swiglu' && hidden % 8 === 0)) return null
      return `kind of feed-forward net: ${mlp} of ${hidden} channels, where it has ffn of any, and swiglu of a multiple of 8`
    },
    activation: ({ mlp, activation }) =>
      (mlp === 'swiglu' ? ['silu'] : ACTIVATIONS).includes(activation)
        ? null
        : `activation: ${activation} in ${mlp}`,
    stem: stemLack,
    pooling: ({ pooling }) =>
      summaryOf(pooling) === null
        ? `pooling: ${textOf(pooling)}, where it lays some class tokens side by side`
        : null,
    positions: positionsLack,
  },
  source: (weight, shape, config) => radioTarget(weight, shape, config),
  tables: ({ positions, pooling, width }) =>
    new Map([
      ...(positions === null
        ? []
        : [[POSITIONS, stored(RADIO_POSITIONS, [1, positions.rows * positions.columns, width])] as const]),
      [POOLED_ROWS, radioSummary(summaryOf(pooling) ?? 0)] as const,
    ]),
  files,
}

/** Normalised pixels pass a matrix alone. */
function stemLack({ stem, stemBias }: ConvertedConfig): string | null {
  const held = textOf({ kind: 'patchify', bias: true })
  if (textOf(stem) !== held) return `way from pixels to patches: ${textOf(stem)}, where it has a matrix alone`
  return stemBias
    ? 'bias of the patches (conv_proj.bias), which is more than zeros, where it has a matrix alone'
    : null
}

/** Counts the class tokens that stand for an image; null where others do. */
function summaryOf(pooling: Pooling): number | null {
  return pooling.kind === 'special-rows' && typeof pooling.rows === 'number' ? pooling.rows : null
}

/** A table that is larger than the images is resampled for every one of them, so that its rule counts. */
function positionsLack({ positions, size, patchSize }: ConvertedConfig): string | null {
  if (positions === null) return 'position table: none, where it has one'
  const { rows, columns, rule, sines } = positions
  if (sines !== undefined) return 'position table: one of sines, where it has a learnt one'
  if (rows !== columns) return `position table: one of ${rows} x ${columns} patches, where it has a square`
  const isResampled = size.some((side) => side / patchSize !== rows)
  return isResampled && rule !== OWN_RULE
    ? `position table: one that is resampled by ${rule}, where it resamples by ${OWN_RULE}`
    : null
}

const OWN_RULE = 'bilinear-square'

function files(network: WrittenNetwork): WrittenFiles {
  const { config, recipe } = network
  const { registers, channels, patchSize, width, hidden, positions } = config
  const processor = processorFile(recipe, 'CLIPImageProcessor')
  // A gated net has two thirds of what its ratio says.
  const columns = config.mlp === 'swiglu' ? (hidden * 3) / 2 : hidden
  return {
    configFile: {
      ...commonFields(network, { modelType: 'radio', architecture: 'RadioModel' }),
      mlp_ratio: ratioOf(columns, width),
      use_swiglu_ffn: config.mlp === 'swiglu',
      qkv_bias: config.qkvBias,
      max_img_size: (positions?.rows ?? 0) * patchSize,
      num_cls_tokens: 1,
      num_registers: registers,
      summary_idxs: [0],
      // Pixels are normalised in front of the network, as they are for the source, so that its own levels change nothing.
      norm_mean: Array.from({ length: channels }, () => 0),
      norm_std: Array.from({ length: channels }, () => 1),
    },
    ...(processor === undefined ? {} : { preprocessorFile: processor }),
  }
}
