/**
 * Hugging Face transformers' Dinov2 and Dinov2WithRegisters keep q, k and v apart and a `config.json` beside the weights. The names stand bare, or
 * behind the network's own where a classifier is there as well; and transformers 5 has other names in memory than in files, which a state dict shows.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { DINOV2_EVALUATION } from '../../image/preparation.js'
import { type Shape, sizeAt } from '../../tensor/shape.js'
import type { Classifier, VitConfig } from '../vit-config.js'
import { configFileOf } from './config-file.js'
import type { Dialect, VitHints } from './dialect.js'
import { dinov2Config, publishedHeads } from './dinov2-config.js'
import { sizeOrNull, storedSize } from './headers.js'
import { type Layout, layoutSource, type Places } from './layout.js'
import { column, type StoredWeight, stored } from './stored-weight.js'
import { readTransformersConfig } from './transformers-config.js'
import { ATTENTION_PARTS, DINOV2_PARTS, GATED_PARTS, QKV_MODULES } from './transformers-names.js'
import { DINOV2_STATS, type Processor, processorFileOf, readProcessor } from './transformers-processor.js'
import { transformersTransparency } from './transformers-transparency.js'

/** How one version of transformers calls what differs. */
interface Naming {
  /** Names the modules of q, k and v; by the first the naming is recognised. */
  readonly qkv: readonly [query: string, key: string, value: string]
  readonly parts: Places
  /** Names the two matrices that show a gated net's hidden width in their rows, or twice it. */
  readonly gate: string
  readonly out: string
}

const EARLIER_QKV = [
  'attention.attention.query',
  'attention.attention.key',
  'attention.attention.value',
] as const

/** Is how files are written, by every version. */
const OF_FILES: Naming = {
  qkv: EARLIER_QKV,
  gate: 'mlp.weights_in',
  out: 'mlp.weights_out',
  parts: {
    ...DINOV2_PARTS,
    'attn.qkv': { pieces: EARLIER_QKV },
    'attn.proj': 'attention.output.dense',
    'mlp.fc1_g': { half: 0, of: 'mlp.weights_in' },
    'mlp.fc1_x': { half: 1, of: 'mlp.weights_in' },
    'mlp.fc2': 'mlp.weights_out',
  },
}

const NAMINGS: readonly Naming[] = [
  OF_FILES,
  {
    qkv: QKV_MODULES,
    gate: 'mlp.gate_proj',
    out: 'mlp.down_proj',
    parts: { ...DINOV2_PARTS, ...ATTENTION_PARTS, ...GATED_PARTS },
  },
]

/** A network with a classifier has its own name in front of its tensors. */
const PREFIXES = ['', 'dinov2.', 'dinov2_with_registers.'] as const

export const huggingFace: readonly Dialect[] = PREFIXES.flatMap((prefix) =>
  NAMINGS.map((naming) => dialectOf(prefix, naming)),
)

/** Gives the layout of a file without a classifier, or of one with it, which has the network's own name in front. */
export function dinov2Layout(prefix: (typeof PREFIXES)[number]): Layout {
  return layoutOf(prefix, OF_FILES)
}

function layoutOf(prefix: string, naming: Naming): Layout {
  return {
    dialect: 'hugging-face',
    classToken: `${prefix}embeddings.cls_token`,
    registers: `${prefix}embeddings.register_tokens`,
    positions: `${prefix}embeddings.position_embeddings`,
    blocks: `${prefix}encoder.layer.`,
    scale: 'lambda1',
    modules: {
      conv_proj: `${prefix}embeddings.patch_embeddings.projection`,
      norm: `${prefix}layernorm`,
    },
    parts: naming.parts,
  }
}

function dialectOf(prefix: string, naming: Naming): Dialect {
  const layout = layoutOf(prefix, naming)
  const source = layoutSource(layout)
  return {
    name: 'hugging-face',
    recognises: (tensors) =>
      tensors.has(layout.classToken) &&
      tensors.has(`${layout.blocks}0.norm1.weight`) &&
      tensors.has(`${layout.blocks}0.${naming.qkv[0]}.weight`),
    readConfig: (checkpoint, hints) => readConfig(checkpoint, hints, layout, naming),
    readPreparation: (checkpoint, hints) => ({
      ...(processorOf(checkpoint, hints, kernelSide(checkpoint, prefix))?.preparation ?? DINOV2_EVALUATION),
      transparency: transformersTransparency(configFileOf(checkpoint, hints, 'transformers')),
    }),
    assumptions,
    source: (weight, shape, config, tensors) =>
      classifierSource(weight, shape, config) ?? source(weight, shape, config, tensors),
    positions: () => ({ tensor: layout.positions, special: 1 }),
    // A network of the kind with registers that has none is saved with a tensor of no rows.
    leftOver(tensor, tensors) {
      if (tensor === `${prefix}embeddings.mask_token`) return 'training'
      return tensor === layout.registers && sizeOrNull(tensors, tensor, 1) === 0 ? 'derived' : null
    },
  }
}

function readConfig(
  checkpoint: Checkpoint,
  hints: VitHints,
  layout: Layout,
  { gate, out, qkv }: Naming,
): VitConfig {
  const { tensors, label } = checkpoint
  const file = configFileOf(checkpoint, hints, 'transformers')
  const told = file === null ? null : readTransformersConfig(file, label, hints.ignoreFields)
  const block = `${layout.blocks}0.`
  const gated = tensors.has(`${block}${gate}.weight`)
  const config = dinov2Config(
    {
      checkpoint,
      layout,
      gated,
      hidden: gated
        ? { tensor: `${block}${out}.weight`, axis: 1 }
        : { tensor: `${block}mlp.fc1.weight`, axis: 0 },
      rule: (registers) => told?.rule ?? (registers > 0 ? 'antialias' : 'bicubic'),
      heads: told?.heads ?? publishedHeads,
      qkvBias: qkv.some((module) => tensors.has(`${block}${module}.bias`)),
      epsilon: told?.epsilon,
      // A gated net has SiLU, whatever the config calls the activation (Dinov2SwiGLUFFN).
      activation: gated ? 'silu' : told?.activation,
      sizes: told?.size === undefined ? [] : [told.size],
      sizeFields: 'image_size',
      rgbStats: processorOf(checkpoint, hints)?.rgbStats ?? DINOV2_STATS,
    },
    hints,
  )
  told?.check(config)
  return { ...config, classifier: classifierOf(checkpoint), taps: told?.tapsOf(config.depth) ?? null }
}

function kernelSide({ tensors }: Checkpoint, prefix: string): number | null {
  return sizeOrNull(tensors, `${prefix}embeddings.patch_embeddings.projection.weight`, 2)
}

function processorOf(
  { label }: Checkpoint,
  hints: VitHints,
  patchSize: number | null = null,
): Processor | null {
  const file = processorFileOf(hints)
  return file === null ? null : readProcessor(file, label, hints.ignoreFields, patchSize)
}

function assumptions({ label }: Checkpoint, hints: VitHints): readonly string[] {
  const found: string[] = []
  if (hints.configFile === undefined) {
    found.push(
      `There is no config.json beside ${label}, so it is taken for a DINOv2 as published: GELU, epsilon 1e-6${hints.heads === undefined ? ', heads by its width' : ''}.`,
    )
  }
  if (processorFileOf(hints) === null && hints.normalisation === undefined) {
    found.push(
      `There is no preprocessor_config.json beside ${label}, so images are prepared as for DINOv2 as published where options do not say otherwise: shortest edge 256, a crop of 224, ` +
        "ImageNet's mean and deviation. The options are recipe, size and normalisation (--recipe, --size, --normalisation).",
    )
  }
  return found
}

/** The classifier reads the class token and the mean of the patches side by side; each half has a matrix here. */
function classifierOf(checkpoint: Checkpoint): Classifier | null {
  const rows = sizeOrNull(checkpoint.tensors, 'classifier.weight', 0)
  if (rows === null) return null
  return {
    classes: storedSize(checkpoint, 'classifier.weight', 0, 'hugging-face'),
    kind: 'class-and-mean',
    bias: checkpoint.tensors.has('classifier.bias'),
  }
}

/** Says where the matrices of class token and mean patch lie; null for all other weights. */
export function classifierSource(weight: string, shape: Shape, { width }: VitConfig): StoredWeight | null {
  const [, half] = /^classifier\.(class|mean)\.weight$/.exec(weight) ?? []
  const whole = [sizeAt(shape, 0), 2 * width]
  if (half !== undefined) return column('classifier.weight', whole, half === 'class' ? 0 : 1, 2)
  return weight === 'classifier.class.bias' ? stored('classifier.bias', shape) : null
}
