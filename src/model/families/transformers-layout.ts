/**
 * Says how transformers names what its ViT and those built of its code have: BEiT, Data2VecVision, DeiT, I-JEPA and ViTMAE. Its files have the names of
 * the first versions; in memory, and in files saved so (`save_original_format=False`), version 5 has shorter ones.
 */
import type { TensorInfo } from '../../checkpoint/checkpoint.js'
import type { Shape } from '../../tensor/shape.js'
import type { Layout, Places } from '../dialects/layout.js'
import { type StoredWeight, scaledBy } from '../dialects/stored-weight.js'
import { ATTENTION_PARTS, QKV_MODULES } from '../dialects/transformers-names.js'
import type { Classifier } from '../vit-config.js'

/** How one version of transformers calls what differs. */
interface Naming {
  /** Stands behind the network's own name and in front of a block's number. */
  readonly blocks: string
  /** Names the modules of q, k and v. */
  readonly qkv: readonly [query: string, key: string, value: string]
  readonly parts: Places
  /** Names a block's table of relative positions, and the one that all blocks share. */
  readonly bias: string
  readonly sharedBias: string
}

const NORMS = { norm1: 'layernorm_before', norm2: 'layernorm_after' } as const satisfies Places

const NAMINGS: readonly Naming[] = [
  {
    blocks: 'encoder.layer.',
    qkv: ['attention.attention.query', 'attention.attention.key', 'attention.attention.value'],
    parts: {
      ...NORMS,
      'attn.proj': 'attention.output.dense',
      'mlp.0': 'intermediate.dense',
      'mlp.3': 'output.dense',
    },
    bias: 'attention.attention.relative_position_bias.relative_position_bias_table',
    sharedBias: 'encoder.relative_position_bias.relative_position_bias_table',
  },
  {
    blocks: 'layers.',
    qkv: QKV_MODULES,
    parts: { ...NORMS, ...ATTENTION_PARTS, 'mlp.0': 'mlp.fc1', 'mlp.3': 'mlp.fc2' },
    bias: 'relative_position_bias.relative_position_bias_table',
    sharedBias: 'shared_position_bias.relative_position_bias_table',
  },
]

export interface TransformersLayout extends Layout {
  /** Stands in front of all of the network's names, where a classifier is there as well. */
  readonly prefix: string
  readonly qkv: Naming['qkv']
  readonly bias: string
  readonly sharedBias: string
}

/** Lists the layouts of a network whose own name is one of these, or nothing. */
export function transformersLayouts(names: readonly string[]): readonly TransformersLayout[] {
  return names.flatMap((prefix) => NAMINGS.map((naming) => layoutOf(prefix, naming)))
}

function layoutOf(prefix: string, { blocks, qkv, parts, bias, sharedBias }: Naming): TransformersLayout {
  return {
    dialect: 'hugging-face',
    prefix,
    qkv,
    bias,
    sharedBias: `${prefix}${sharedBias}`,
    classToken: `${prefix}embeddings.cls_token`,
    registers: `${prefix}embeddings.distillation_token`,
    placesRegisters: true,
    positions: `${prefix}embeddings.position_embeddings`,
    blocks: `${prefix}${blocks}`,
    scale: null,
    modules: {
      conv_proj: `${prefix}embeddings.patch_embeddings.projection`,
      norm: `${prefix}layernorm`,
      embedding_norm: `${prefix}pooler.layernorm`,
      pooler: `${prefix}pooler.dense`,
      classifier: 'classifier',
    },
    parts: {
      ...parts,
      'attn.qkv': { pieces: qkv },
      layer_scale_1: 'lambda_1',
      layer_scale_2: 'lambda_2',
    },
    // BEiT has a bias of q and of v, and none of k.
    optional: [/\.attention\.key\.bias$/, /\.attention\.k_proj\.bias$/],
  }
}

/** Tells a file of such a layout, whichever of the networks it is. */
export function hasLayout(layout: TransformersLayout, tensors: ReadonlyMap<string, TensorInfo>): boolean {
  return [
    `${layout.prefix}embeddings.patch_embeddings.projection.weight`,
    `${layout.blocks}0.layernorm_before.weight`,
    `${layout.blocks}0.${layout.qkv[0]}.weight`,
  ].every((tensor) => tensors.has(tensor))
}

const TEACHER = { class: 'cls_classifier', distillation: 'distillation_classifier' } as const

/** Says what makes class scores: one linear layer, or one for each of DeiT's two tokens. */
export function classifierOf(tensors: ReadonlyMap<string, TensorInfo>): Classifier | null {
  const heads = [
    ['classifier', 'linear'],
    [TEACHER.class, 'distilled'],
  ] as const
  for (const [name, kind] of heads) {
    const classes = tensors.get(`${name}.weight`)?.shape[0]
    if (classes !== undefined) return { classes, kind, bias: tensors.has(`${name}.bias`) }
  }
  return null
}

/** Gives a weight of the classifier of two tokens: each has half of what the file does, since their mean is what counts. */
export function teacherSource(weight: string, shape: Shape): StoredWeight | null {
  const [, head, vector] = /^classifier\.(class|distillation)\.(\w+)$/.exec(weight) ?? []
  if (head !== 'class' && head !== 'distillation') return null
  return scaledBy(0.5, `${TEACHER[head]}.${vector}`, shape)
}
