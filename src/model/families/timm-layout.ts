/**
 * Says how timm calls the modules of its vision transformers. All classes have Meta's names of blocks; what else they have under several names is told by the
 * names themselves: layer scales, biases of q and v alone, q, k and v apart, gates apart, branches side by side, and one projection for both halves.
 */
import type { TensorInfo } from '../../checkpoint/checkpoint.js'
import { elementCount, type Shape, sizeAt } from '../../tensor/shape.js'
import { type Layout, layoutSource, type Place, type Places } from '../dialects/layout.js'
import { META_MODULES, META_PARTS } from '../dialects/meta-names.js'
import { rowsOf, type StoredWeight, scaledBy, stored } from '../dialects/stored-weight.js'
import { biasName, POSITIONS, rotaryName } from '../grid-tables.js'
import type { PatchGrid } from '../positions.js'
import { type BiasRule, biasRows } from '../relative-bias.js'
import { specialTokens, type VitConfig } from '../vit-config.js'

type Tensors = ReadonlyMap<string, TensorInfo>

const MODULES: Places = {
  ...META_MODULES,
  stem_norm: 'patch_embed.norm',
  'encoder.pre_block.0': 'norm_pre',
  embedding_norm: 'fc_norm',
  classifier: 'head',
  'attn_pool.q': 'attn_pool.q',
  'attn_pool.kv': 'attn_pool.kv',
  'attn_pool.proj': 'attn_pool.proj',
  'attn_pool.norm': 'attn_pool.norm',
  'attn_pool.mlp.0': 'attn_pool.mlp.fc1',
  'attn_pool.mlp.3': 'attn_pool.mlp.fc2',
}

const PARTS: Places = {
  ...META_PARTS,
  'attn.q_norm': 'attn.q_norm',
  'attn.k_norm': 'attn.k_norm',
  'attn.norm': 'attn.norm',
  'mlp.norm': 'mlp.norm',
  // The gate is the first half (timm layers/mlp.py: SwiGLUPacked, gate_last=False).
  'mlp.fc1_g': { half: 0, of: 'mlp.fc1' },
  'mlp.fc1_x': { half: 1, of: 'mlp.fc1' },
  'mlp.fc2': 'mlp.fc2',
}

export const TIMM_LAYOUT: Layout = {
  dialect: 'timm',
  classToken: 'cls_token',
  registers: 'reg_token',
  positions: 'pos_embed',
  placesRegisters: true,
  blocks: 'blocks.',
  scale: 'gamma',
  modules: MODULES,
  parts: PARTS,
}

/** Gives the names of a network of the class VisionTransformer, whose blocks may have branches side by side. */
export function visionTransformerLayout(branches: number): Layout {
  return { ...TIMM_LAYOUT, parts: { ...PARTS, ...branchParts(branches) } }
}

/** Gives the names of AIMv2, whose gates are apart, and which may have no bias of its own but that of the patches. */
export function timmAimv2Layout({ hasLinearBias }: { readonly hasLinearBias: boolean }): Layout {
  const bare = (module: string) => ({ weight: `${module}.weight`, bias: null })
  const linear = ['attn.proj', 'mlp.fc1_g', 'mlp.fc1_x', 'mlp.fc2']
  const parts = { ...PARTS, ...GATE_APART }
  if (hasLinearBias) return { ...TIMM_LAYOUT, parts }
  return {
    ...TIMM_LAYOUT,
    parts: { ...parts, ...Object.fromEntries(linear.map((module) => [module, bare(module)])) },
  }
}

/** Gives the names of a distilled DeiT, whose second token and its head have names of their own. */
export const TIMM_DISTILLED_LAYOUT: Layout = { ...TIMM_LAYOUT, registers: 'dist_token' }

/** Gives the names of a network of the class Eva, whose keys may have no bias of their own, and whose gated nets keep both halves apart or packed. */
export function evaLayout({
  hasKeyBias,
  isGateApart,
}: {
  readonly hasKeyBias: boolean
  readonly isGateApart: boolean
}): Layout {
  return {
    ...TIMM_LAYOUT,
    scale: null,
    parts: {
      ...PARTS,
      ...GAMMAS,
      ...(hasKeyBias ? {} : { 'attn.qkv': FUSED_WITHOUT_KEY_BIAS }),
      ...(isGateApart ? GATE_APART : {}),
    },
  }
}

const OF_NAFLEX = {
  classToken: 'embeds.cls_token',
  registers: 'embeds.reg_token',
  positions: 'embeds.pos_embed',
  modules: { ...MODULES, conv_proj: 'embeds.proj' },
  patches: 'pixels',
} as const satisfies Partial<Layout>

/** Gives the names of a network of the class NaFlexVit. */
export const TIMM_NAFLEX_LAYOUT: Layout = { ...TIMM_LAYOUT, ...OF_NAFLEX }

/** Says where NaFlexVit keeps its table, whose grid may be another than that of the patches. */
export function naFlexTable({ rows, columns }: PatchGrid, width: number): StoredWeight {
  return stored(OF_NAFLEX.positions, [1, rows, columns, width])
}

/** Tells NaFlexVit, which keeps tokens and positions among its embeddings, and the patches as a matrix. */
export function isNaFlex(tensors: Tensors): boolean {
  return tensors.has('embeds.proj.weight')
}

/** Gives the names that this file has. */
export function timmLayout(tensors: Tensors): Layout {
  const first = (part: string) => tensors.has(`blocks.0.${part}`)
  const layout: Layout = {
    ...TIMM_LAYOUT,
    scale: first('gamma_1') ? null : TIMM_LAYOUT.scale,
    parts: {
      ...PARTS,
      ...(first('gamma_1') ? GAMMAS : {}),
      ...(first('attn.q_bias') ? { 'attn.qkv': FUSED_WITHOUT_KEY_BIAS } : {}),
      ...(first('attn.q_proj.weight') ? { 'attn.qkv': APART } : {}),
      ...(first('mlp.fc1_g.weight') ? GATE_APART : {}),
      ...(first('in_proj.weight') ? ONE_PROJECTION : {}),
      ...branchParts(countBranches(tensors)),
    },
    optional: [
      ...(first('attn.q_proj.weight') ? [/\.attn\.k_proj\.bias$/] : []),
      // A network made without biases of projections has none at all.
      ...([...tensors.keys()].some((name) => PROJECTION_BIAS.test(name)) ? [] : [PROJECTION_BIAS]),
    ],
    ...(tensors.has('dist_token') ? { registers: 'dist_token' } : {}),
  }
  return isNaFlex(tensors) ? { ...layout, ...OF_NAFLEX } : layout
}

const PROJECTION_BIAS = /^blocks\.\d+\.(attn\.proj|mlp\.(fc1|fc1_g|fc1_x|fc2))\.bias$/
const FUSED_WITHOUT_KEY_BIAS: Place = {
  weight: 'attn.qkv.weight',
  bias: ['attn.q_bias', null, 'attn.v_bias'],
}
const GAMMAS: Places = { layer_scale_1: 'gamma_1', layer_scale_2: 'gamma_2' }
const GATE_APART: Places = { 'mlp.fc1_g': 'mlp.fc1_g', 'mlp.fc1_x': 'mlp.fc1_x' }
const APART: Place = { pieces: ['attn.q_proj', 'attn.k_proj', 'attn.v_proj'] }
/** Of a block whose halves share a norm and the matrix behind it; what is a part of that matrix is found by `sharedSource`. */
const ONE_PROJECTION: Places = {
  norm1: 'in_norm',
  'attn.proj': 'attn_out_proj',
  'attn.q_norm': 'q_norm',
  'attn.k_norm': 'k_norm',
  'mlp.3': 'mlp_out_proj',
  layer_scale_1: 'ls',
}

/** Counts the branches side by side in each half of a block; 1 where they have no names of their own. */
export function countBranches(tensors: Tensors): number {
  let count = 0
  while (tensors.has(`blocks.0.attns.${count}.norm.weight`)) count++
  return Math.max(count, 1)
}

function branchParts(count: number): Places {
  if (count === 1) return {}
  const parts: Record<string, Place> = {}
  for (let j = 0; j < count; j++) {
    const name = (part: string) => `branch.${j}.${part}`
    const [attention, feedForward] = [`attns.${j}`, `ffns.${j}`]
    parts[name('norm1')] = `${attention}.norm`
    parts[name('layer_scale_1')] = `${attention}.ls`
    for (const part of ['qkv', 'q_norm', 'k_norm', 'norm', 'proj'])
      parts[name(`attn.${part}`)] = `${attention}.attn.${part}`
    parts[name('norm2')] = `${feedForward}.norm`
    parts[name('layer_scale_2')] = `${feedForward}.ls`
    parts[name('mlp.0')] = `${feedForward}.mlp.fc1`
    parts[name('mlp.3')] = `${feedForward}.mlp.fc2`
  }
  return parts
}

export function timmSource(weight: string, shape: Shape, config: VitConfig, tensors: Tensors): StoredWeight {
  const own = sharedSource(weight, shape, config, tensors) ?? distilledSource(weight, shape)
  return own ?? layoutSource(timmLayout(tensors))(weight, shape, config, tensors)
}

/** A block of one projection has the rows of the feed-forward net's first matrix in front of those of q, k and v. */
function sharedSource(
  weight: string,
  shape: Shape,
  { width, hidden }: VitConfig,
  tensors: Tensors,
): StoredWeight | null {
  const [, block, part, kind] =
    /^encoder\.block\.(\d+)\.(attn\.qkv|mlp\.0)\.(weight|bias)$/.exec(weight) ?? []
  if (block === undefined || !tensors.has('blocks.0.in_proj.weight')) return null
  const bias = `blocks.${block}.mlp_bias`
  if (part === 'mlp.0' && kind === 'bias' && tensors.has(bias)) return stored(bias, shape)
  const firstRow = part === 'mlp.0' ? 0 : hidden
  return rowsOf(`blocks.${block}.in_proj.${kind}`, shape, firstRow, hidden + 3 * width)
}

/** The plan adds the scores of both heads, and the library takes their mean. Gives null for what is of no head of a distilled DeiT. */
export function distilledSource(weight: string, shape: Shape): StoredWeight | null {
  const [, head, kind] = /^classifier\.(class|distillation)\.(weight|bias)$/.exec(weight) ?? []
  if (head === undefined) return null
  return scaledBy(0.5, `${head === 'class' ? 'head' : 'head_dist'}.${kind}`, shape)
}

/** Says where tables are kept that depend on the grid, but for a position table of the usual shape. */
export function timmTables(config: VitConfig, tensors: Tensors): ReadonlyMap<string, StoredWeight> {
  const tables = new Map<string, StoredWeight>()
  const { positions, bias, rotary, width, heads, depth } = config
  if (positions !== null && isNaFlex(tensors)) tables.set(POSITIONS, naFlexTable(positions, width))
  for (let block = 0; block < depth; block++) {
    if (bias !== null) {
      const source = bias.kind === 'mlp' ? offsetNet(block, heads, tensors) : biasSource(block, bias, heads)
      tables.set(biasName(config, block), source)
    }
    if (rotary?.bands.kind === 'mixed')
      tables.set(rotaryName(config, block), frequencies(block, [2, depth, heads, width / heads / 2]))
  }
  return tables
}

export const SHARED_BIAS = 'rel_pos_bias.relative_position_bias_table'
export const SHARED_NET = 'shared_rel_pos.mlp'

/** Says where a block's table of relative positions is kept, which may be that of all blocks. */
function biasSource(block: number, bias: BiasRule, heads: number): StoredWeight {
  const tensor = bias.isShared ? SHARED_BIAS : `blocks.${block}.attn.relative_position_bias_table`
  return stored(tensor, [biasRows(bias), heads])
}

/** Says where tables of relative positions are kept, by the names of grid-tables.ts. */
export function biasTables(config: VitConfig): ReadonlyMap<string, StoredWeight> {
  const { bias, depth, heads } = config
  const tables = new Map<string, StoredWeight>()
  for (let block = 0; bias !== null && block < depth; block++)
    tables.set(biasName(config, block), biasSource(block, bias, heads))
  return tables
}

function offsetNet(block: number, heads: number, tensors: Tensors): StoredWeight {
  const net = tensors.has(`${SHARED_NET}.fc1.weight`) ? SHARED_NET : `blocks.${block}.attn.rel_pos.mlp`
  const hidden = tensors.get(`${net}.fc1.weight`)?.shape[0] ?? 0
  const parts = [
    { tensor: `${net}.fc1.weight`, shape: [hidden, 2] },
    { tensor: `${net}.fc1.bias`, shape: [hidden] },
    { tensor: `${net}.fc2.weight`, shape: [heads, hidden] },
    { tensor: `${net}.fc2.bias`, shape: [heads] },
  ]
  return { parts, combine: (...values) => Float32Array.from(values.flatMap((one) => [...one])) }
}

/** All blocks' frequencies lie in one tensor, [2, depth, H, d / 2]. */
function frequencies(block: number, shape: Shape): StoredWeight {
  const depth = sizeAt(shape, 1)
  const each = elementCount(shape.slice(2))
  const combine = (all: Float32Array) => {
    const out = new Float32Array(2 * each)
    for (const axis of [0, 1]) {
      const from = (axis * depth + block) * each
      out.set(all.subarray(from, from + each), axis * each)
    }
    return out
  }
  return { parts: [{ tensor: 'rope.freqs', shape }], combine }
}

/** Names the position table, and counts its rows in front of the patches'. */
export function timmPositions(config: VitConfig): { readonly tensor: string; readonly special: number } {
  // Registers have positions where the class token has one.
  return { tensor: TIMM_LAYOUT.positions, special: config.positions?.specialRows ? specialTokens(config) : 0 }
}
