/**
 * Writes transformers' Dinov2 and Dinov2WithRegisters, which differ in registers and in how positions are resampled; where there is a classifier the network has its
 * own name in front of its tensors.
 */
import { classifierSource, dinov2Layout } from '../../model/dialects/hugging-face.js'
import { type Layout, writtenSource } from '../../model/dialects/layout.js'
import type { VitConfig } from '../../model/vit-config.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { gatedBySilu } from './gated-by-silu.js'
import { squareTable } from './positions-held.js'
import { ACTIVATIONS, commonFields, processorFile } from './transformers-files.js'

export const huggingFaceDinov2Writer: Writer = {
  library: 'hugging-face',
  class: 'Dinov2Model',
  holds: {
    registers: 'any',
    epsilon: 'any',
    qkvBias: 'any',
    layerScale: [true],
    mlp: (config) =>
      ratioOrNull(config) === null
        ? `feed-forward net: ${config.mlp} of ${config.hidden} hidden channels, where it has ffn of a whole multiple of the width, or swiglu of two thirds of one`
        : null,
    activation: gatedBySilu(ACTIVATIONS),
    classifier: ({ classifier }) =>
      classifier === null || (classifier.kind === 'class-and-mean' && classifier.bias)
        ? null
        : `classifier: ${classifier.kind}${classifier.bias ? '' : ' without a bias'}, where it has one of class token and mean patch, with a bias`,
    positions: squareTable,
  },
  source: (weight, shape, config) =>
    classifierSource(weight, shape, config) ?? writtenSource(layoutFor(config))(weight, shape, config),
  positions: (config) => ({ tensor: layoutFor(config).positions, special: 1 }),
  further: (config) => [
    { tensor: `${prefixFor(config)}embeddings.mask_token`, shape: [1, config.width] },
    ...(hasRegisters(config) && config.registers === 0
      ? [{ tensor: layoutFor(config).registers, shape: [1, 0, config.width] }]
      : []),
  ],
  files,
}

function prefixFor(config: VitConfig): '' | 'dinov2.' | 'dinov2_with_registers.' {
  if (config.classifier === null) return ''
  return hasRegisters(config) ? 'dinov2_with_registers.' : 'dinov2.'
}

function layoutFor(config: VitConfig): Layout {
  return dinov2Layout(prefixFor(config))
}

/** Gives `mlp_ratio`, which transformers takes as a whole number; a gated net has two thirds of the width, rounded up to eights. */
function ratioOrNull({ mlp, width, hidden }: VitConfig): number | null {
  if (mlp !== 'ffn' && mlp !== 'swiglu') return null
  const kept = (ratio: number) =>
    mlp === 'ffn' ? width * ratio : Math.floor((Math.trunc((width * ratio * 2) / 3) + 7) / 8) * 8
  const most = Math.ceil((2 * hidden) / width)
  return Array.from({ length: most }, (_, index) => index + 1).find((ratio) => kept(ratio) === hidden) ?? null
}

/** The kind with registers resamples smoothly, so that a network without any is of that kind, too, where it does so. */
function hasRegisters({ registers, positions }: VitConfig): boolean {
  return registers > 0 || positions?.rule === 'antialias'
}

function files(network: WrittenNetwork): WrittenFiles {
  const { config, recipe } = network
  const registered = hasRegisters(config)
  const processor = processorFile(recipe, 'BitImageProcessor')
  return {
    configFile: {
      ...commonFields(network, {
        modelType: registered ? 'dinov2_with_registers' : 'dinov2',
        architecture: `Dinov2${registered ? 'WithRegisters' : ''}${config.classifier === null ? 'Model' : 'ForImageClassification'}`,
      }),
      qkv_bias: config.qkvBias,
      mlp_ratio: ratioOrNull(config) ?? 4,
      use_swiglu_ffn: config.mlp === 'swiglu',
      ...(registered ? { num_register_tokens: config.registers } : {}),
    },
    ...(processor === undefined ? {} : { preprocessorFile: processor }),
  }
}
