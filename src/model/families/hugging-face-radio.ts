/**
 * Reads C-RADIO (Heinrich et al. 2025, "RADIOv2.5") as transformers writes it, in NVIDIA's layout or under the names in memory, and NVIDIA's own files, which
 * have no config.json that transformers knows. Several class tokens and registers lie in front of the patches in one tensor; the normalisation of pixels is
 * a part of the network, and is brought into the weights of its first layer here (models/radio of transformers 5.24).
 */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { PlainRecord } from '../../plain-value.js'
import type { Shape } from '../../tensor/shape.js'
import { agree, agreeOnMlp } from '../dialects/agree.js'
import type { ConfigReader } from '../dialects/config-reader.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { countBlocks, sizeOrNull, squareSideOrNull, storedSize } from '../dialects/headers.js'
import { type Layout, layoutSource, type Places, writtenSource } from '../dialects/layout.js'
import { META_PARTS } from '../dialects/meta-names.js'
import { rowsOf, type StoredPart, type StoredWeight, stored } from '../dialects/stored-weight.js'
import { OF_DINOV2_TRAINING, OF_EVERY_CONFIG } from '../dialects/transformers-fields.js'
import { ATTENTION_PARTS, DINOV2_PARTS, GATED_PARTS, QKV_MODULES } from '../dialects/transformers-names.js'
import { counts, each, type FieldTable, nothing, only } from '../fields.js'
import { POOLED_ROWS } from '../grid-tables.js'
import type { PositionRule } from '../position-rule.js'
import { PLAIN, type VitConfig } from '../vit-config.js'
import {
  activationOf,
  agreeOnShape,
  levelsOf,
  preparationOf,
  processorAssumption,
  transformersFile,
} from './transformers-file.js'

export const RADIO_CONFIG: FieldTable = {
  title: 'transformers: config.json of a RadioConfig',
  source: 'transformers 5.24.0: models/radio',
  isBeside: true,
  prefix: '',
  fields: {
    ...OF_EVERY_CONFIG,
    model_type: counts('which network it is: radio'),
    ...each(
      [
        'hidden_size',
        'num_hidden_layers',
        'num_channels',
        'patch_size',
        'mlp_ratio',
        'qkv_bias',
        'use_swiglu_ffn',
        'num_cls_tokens',
        'num_registers',
        'patch_dim',
        'max_img_size',
      ],
      counts('a size or a part of the network; the weights must agree'),
    ),
    num_attention_heads: counts('the heads'),
    image_size: counts('the size of an input where nothing else is asked for'),
    hidden_act: counts('the activation of the feed-forward net; a gated one has SiLU whatever it says'),
    layer_norm_eps: counts('the epsilon of every norm'),
    ...each(
      ['norm_mean', 'norm_std', 'summary_idxs'],
      nothing('the file of weights has it as a tensor, which counts'),
    ),
    ...OF_DINOV2_TRAINING,
    layerscale_value: counts('the scale of every branch of a file without scales: 1 alone is computed'),
    ...each(['video_patch_dim', 'video_temporal_patch_size'], only([null], 'images are read, not videos')),
  },
}

const KIND = { family: 'C-RADIO', types: ['radio'], table: RADIO_CONFIG } as const

interface Naming {
  readonly blocks: string
  readonly embedder: string
  /** Names class tokens and registers, [C + R, D]. */
  readonly tokens: string
  readonly positions: string
  readonly conditioner: string
  readonly summary: string
  readonly scale: string | null
  readonly parts: Places
  /** Names a bias of q, k and v. */
  readonly bias: string
}

const OWN_MODEL = 'radio_model.model.'

const NVIDIA: Omit<Naming, 'scale'> = {
  blocks: `${OWN_MODEL}blocks.`,
  embedder: `${OWN_MODEL}patch_generator.embedder`,
  tokens: `${OWN_MODEL}patch_generator.cls_token.token`,
  positions: `${OWN_MODEL}patch_generator.pos_embed`,
  conditioner: 'radio_model.input_conditioner',
  summary: 'radio_model.summary_idxs',
  parts: { ...META_PARTS, ...GATED_PARTS },
  bias: 'attn.qkv.bias',
}

/** Is what transformers writes: NVIDIA's names, but for the scales of blocks, which keep those that they have in memory. */
const WRITTEN: Naming = {
  ...NVIDIA,
  scale: 'lambda1',
  parts: { ...NVIDIA.parts, layer_scale_1: 'layer_scale1', layer_scale_2: 'layer_scale2' },
}

/** The scales of blocks have one of two names in files of NVIDIA's, where there are any. */
const NAMINGS: readonly Naming[] = [
  { ...NVIDIA, scale: 'gamma' },
  { ...NVIDIA, scale: 'grandma' },
  WRITTEN,
  {
    blocks: 'encoder.layer.',
    embedder: 'embeddings.patch_projection',
    tokens: 'embeddings.cls_register_token',
    positions: 'embeddings.position_embedding',
    conditioner: 'input_conditioner',
    summary: 'summary_idxs',
    scale: 'lambda1',
    parts: { ...DINOV2_PARTS, ...ATTENTION_PARTS, ...GATED_PARTS },
    bias: `${QKV_MODULES[0]}.bias`,
  },
]

/** Is what the processors of its repositories do, which leave the normalisation to the network. */
const PROCESSOR: PlainRecord = {
  image_processor_type: 'ViTImageProcessor',
  resample: 3,
  do_normalize: false,
}

type Tensors = ReadonlyMap<string, TensorInfo>

export const huggingFaceRadio: readonly Dialect[] = NAMINGS.map(dialectOf)

function layoutOf(naming: Naming): Layout {
  return {
    dialect: 'hugging-face',
    classToken: naming.tokens,
    registers: naming.tokens,
    positions: naming.positions,
    blocks: naming.blocks,
    scale: naming.scale,
    modules: { conv_proj: naming.embedder },
    parts: naming.parts,
  }
}

/** Says where transformers keeps a weight of a network whose pixels are normalised in front of it, by the processor: the network's own levels change nothing. */
export function radioTarget(weight: string, shape: Shape, config: VitConfig): StoredWeight {
  const front = frontSource(WRITTEN, weight, shape, config)
  if (front === null) return writtenSource(layoutOf(WRITTEN))(weight, shape, config)
  const put = (values: Float32Array, into: Float32Array, part: number) => {
    // The bias is that of the levels, which are zeros, and the matrix is put with its weight.
    if (weight === 'conv_proj.bias') return
    if (part === 0) into.set(values)
    else into.fill(1)
  }
  return { put, ...front }
}

/** Says where transformers keeps the numbers of the tokens that stand for an image. */
export function radioSummary(rows: number): StoredWeight {
  return { ...stored(WRITTEN.summary, [rows]), areNumbers: true }
}

export const RADIO_POSITIONS = WRITTEN.positions

function dialectOf(naming: Naming): Dialect {
  const source = layoutSource(layoutOf(naming))
  return {
    name: 'hugging-face',
    isCertain: true,
    recognises: (tensors) =>
      tensors.has(naming.tokens) &&
      tensors.has(`${naming.embedder}.weight`) &&
      tensors.has(`${naming.blocks}0.norm1.weight`) &&
      (naming.tokens !== NVIDIA.tokens || naming.scale === scaleOf(tensors)),
    readConfig: (checkpoint, hints) => readConfig(naming, checkpoint, hints),
    readPreparation: (checkpoint, hints) => preparationOf(checkpoint, hints, PROCESSOR),
    assumptions: (checkpoint, hints) => assumptions(naming, checkpoint, hints),
    source: (weight, shape, config, tensors) =>
      frontSource(naming, weight, shape, config) ?? source(weight, shape, config, tensors),
    positions: () => ({ tensor: naming.positions, special: 0 }),
    tables: ({ pooling }) =>
      new Map(
        pooling.kind === 'special-rows' && typeof pooling.rows === 'number'
          ? [[POOLED_ROWS, stored(naming.summary, [pooling.rows])]]
          : [],
      ),
  }
}

/** Gives the name of the scales that a file with NVIDIA's names has, or that of the usual ones where it has none. */
function scaleOf(tensors: Tensors): string | undefined {
  const own = SCALES.find((scale) => tensors.has(`${NVIDIA.blocks}0.${scale}`)) ?? 'ls1.gamma'
  return own.split('.').at(-1)
}

/** Gives tokens as rows of their one tensor, and the first layer with the normalisation of pixels in it: w (x - mean) / std = (w / std) x - w mean / std. */
function frontSource(naming: Naming, weight: string, shape: Shape, config: VitConfig): StoredWeight | null {
  const { registers, channels } = config
  const tokens = registers + 1
  if (weight === 'class_token') return rowsOf(naming.tokens, shape, 0, tokens)
  if (weight === 'reg_tokens') return rowsOf(naming.tokens, shape, 1, tokens)
  const { patchSize, width } = config
  const embedder: StoredPart = {
    tensor: `${naming.embedder}.weight`,
    shape: [width, channels * patchSize ** 2],
  }
  const levels = (name: string): StoredPart => ({
    tensor: `${naming.conditioner}.${name}`,
    shape: [channels, 1, 1],
  })
  const channelAt = (at: number) => Math.floor(at / patchSize ** 2) % channels
  if (weight === 'conv_proj.weight') {
    const combine = (values: Float32Array, std: Float32Array) =>
      values.map((value, at) => value / (std[channelAt(at)] ?? Number.NaN))
    return { parts: [embedder, levels('norm_std')], combine }
  }
  if (weight !== 'conv_proj.bias') return null
  const combine = (values: Float32Array, mean: Float32Array, std: Float32Array) => {
    const shifts = Float64Array.from(mean, (level, channel) => level / (std[channel] ?? Number.NaN))
    const sums = new Float64Array(width)
    values.forEach((value, at) => {
      const row = Math.floor((at * width) / values.length)
      sums[row] = (sums[row] ?? Number.NaN) - value * (shifts[channelAt(at)] ?? Number.NaN)
    })
    return Float32Array.from(sums)
  }
  return { parts: [embedder, levels('norm_mean'), levels('norm_std')], combine }
}

/** NVIDIA's own files lie beside a config.json that names code of its own, so that they are read without one, as published. */
function fileOrNull(naming: Naming, checkpoint: Checkpoint, hints: VitHints): ConfigReader | null {
  const isNvidia = naming.conditioner === NVIDIA.conditioner
  if (isNvidia && hints.configFile === undefined) return null
  return transformersFile(checkpoint, hints, KIND)
}

/** The makers resample with corners on corners in the base and the huge size of version 3, and so does nothing that transformers has written. */
function ruleOf(naming: Naming, file: ConfigReader | null, width: number): PositionRule {
  const isBase = naming.scale === 'grandma' && width !== LARGE_WIDTH
  return file === null && isBase ? 'bilinear-square-corners' : 'bilinear-square'
}

/** The large size of version 3 calls its scales grandma as well, and resamples as version 4. */
const LARGE_WIDTH = 1024

function assumptions(naming: Naming, checkpoint: Checkpoint, hints: VitHints): readonly string[] {
  const { label, tensors } = checkpoint
  const told = processorAssumption(checkpoint, hints, KIND.family)
  if (fileOrNull(naming, checkpoint, hints) !== null) return told
  const width = sizeOrNull(tensors, naming.tokens, 1) ?? 0
  const rule = ruleOf(naming, null, width)
  return [
    ...told,
    `There is no config.json of transformers beside ${label}, so it is taken for a C-RADIO as published: GELU, epsilon 1e-6, positions resampled by ${rule}. ` +
      'Its version 3 in the huge size has bilinear-square-corners instead, which no tensor tells: the option is positions (--positions).',
  ]
}

function readConfig(naming: Naming, checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors, label } = checkpoint
  const reader = fileOrNull(naming, checkpoint, hints)
  const size = (tensor: string, axis: number) => storedSize(checkpoint, tensor, axis, 'hugging-face')
  const channels = size(`${naming.conditioner}.norm_mean`, 0)
  const patchSize = Math.sqrt(size(`${naming.embedder}.weight`, 1) / channels)
  const side = squareSideOrNull(size(naming.positions, 1))
  const heads = hints.heads ?? reader?.positive('num_attention_heads')
  if (side === null || heads === undefined) throw untold(label, side === null)
  const block = `${naming.blocks}0.`
  const gated = tensors.has(`${block}mlp.gate_proj.weight`)
  const tokens = size(naming.tokens, 0)
  const width = size(naming.tokens, 1)
  const [height, across] =
    hints.size ?? (reader === null ? [224, 224] : reader.sides('image_size', [224, 224]))
  const config: VitConfig = {
    ...PLAIN,
    network: null,
    size: [Math.floor(height / patchSize) * patchSize, Math.floor(across / patchSize) * patchSize],
    channels,
    patchSize,
    width,
    depth: countBlocks(tensors, naming.blocks),
    heads,
    hidden: size(`${block}mlp.${gated ? 'gate_proj' : 'fc1'}.weight`, 0),
    classToken: true,
    registers: tokens - 1,
    epsilon: reader?.number('layer_norm_eps', 1e-6) ?? 1e-6,
    finalNorm: 'none',
    qkvBias: tensors.has(`${block}${naming.bias}`),
    layerScale: SCALES.some((scale) => tensors.has(`${block}${scale}`)),
    mlp: gated ? 'swiglu' : 'ffn',
    activation:
      gated || reader === null ? (gated ? 'silu' : 'gelu') : activationOf(reader, 'hidden_act', 'gelu'),
    pooling: { kind: 'special-rows', rows: size(naming.summary, 0) },
    positions: { rows: side, columns: side, specialRows: false, rule: ruleOf(naming, reader, width) },
    rgbStats: levelsOf(checkpoint, hints, PROCESSOR),
  }
  if (reader !== null) agreeWith(reader, config, side)
  return config
}

const SCALES = ['ls1.gamma', 'ls1.grandma', 'layer_scale1.lambda1']

function agreeWith(reader: ConfigReader, config: VitConfig, side: number): void {
  const { registers, patchSize, channels } = config
  agreeOnShape(reader, config)
  agreeOnMlp(reader, config)
  agree(reader, 'qkv_bias', config.qkvBias)
  agree(reader, 'max_img_size', side * patchSize)
  // transformers makes the scales that a file does not have.
  if (!config.layerScale && reader.number('layerscale_value', 1) !== 1)
    throw reader.refuse('layerscale_value', '1 beside weights without scales')
  agree(reader, 'patch_dim', channels * patchSize ** 2)
  const special = reader.number('num_cls_tokens', 3) + reader.number('num_registers', 7)
  if (special !== registers + 1)
    throw reader.refuse('num_registers', `${registers + 1} together with num_cls_tokens, as the weights have`)
}

function untold(label: string, isRectangle: boolean): CheckpointError {
  return new CheckpointError(
    'contradiction',
    isRectangle
      ? `${label}: C-RADIO has a square table of positions, and the one of this file is none. Is the file damaged?`
      : `${label} does not say how many heads it has; tensors look the same with any number. Give it: heads where a program loads it, --heads on the command line.`,
  )
}
