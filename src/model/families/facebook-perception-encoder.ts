/**
 * Reads Meta's Perception Encoder (Bolya et al. 2025) in its makers' own files: rotary positions beside a table, and for `core` a pooling by attention and a projection to
 * the space of texts (facebookresearch/perception_models).
 */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { sizeOrNull, squareSideOrNull, storedSize } from '../dialects/headers.js'
import { NORMALISATIONS } from '../normalisation.js'
import type { PatchGrid } from '../positions.js'
import type { RotaryRule } from '../rotary.js'
import type { Pooling, VitConfig } from '../vit-config.js'
import { isOfTextTower, projectionName, resblocksLayout, resblocksSource } from './resblocks-layout.js'
import { patchSizeOf, trunkOf } from './trunk-of.js'

/** Are the heads of published networks by their width; no tensor shows them (core/vision_encoder/config.py). */
export const PE_HEADS: { readonly [width: number]: number } = { 192: 3, 384: 6, 768: 12, 1024: 16, 1536: 16 }
const EPSILON = 1e-5

export const facebookPerceptionEncoder: readonly Dialect[] = ['', 'visual.'].map(dialectOf)

type Tensors = ReadonlyMap<string, TensorInfo>

function dialectOf(prefix: string): Dialect {
  const layout = resblocksLayout('facebook', prefix)
  return {
    name: 'facebook',
    isCertain: true,
    recognises: (tensors) =>
      tensors.has(`${prefix}conv1.weight`) &&
      tensors.has(`${layout.blocks}0.attn.in_proj_weight`) &&
      (tensors.has(`${prefix}attn_pool.probe`) || isHeadless(prefix, tensors)),
    readConfig: (checkpoint, hints) => readConfig(prefix, checkpoint, hints),
    assumptions: (checkpoint) => assumptions(prefix, checkpoint),
    source: resblocksSource(layout, prefix),
    positions: (config) => ({ tensor: layout.positions, special: config.classToken ? 1 : 0, isFlat: true }),
    leftOver: (tensor) => (prefix !== '' && isOfTextTower(tensor) ? 'text-tower' : null),
  }
}

/** `lang` and `spatial` have no last norm, which an image tower of CLIP always has. */
function isHeadless(prefix: string, tensors: Tensors): boolean {
  return (
    tensors.has(`${prefix}ln_pre.weight`) &&
    !tensors.has(`${prefix}ln_post.weight`) &&
    !tensors.has(projectionName(prefix))
  )
}

function assumptions(prefix: string, { label, tensors }: Checkpoint): readonly string[] {
  if (!isHeadless(prefix, tensors)) return []
  return [
    `${label} is a Perception Encoder without a pooling, which gives tokens alone; the mean of its patches stands for an image here.`,
  ]
}

function readConfig(prefix: string, checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors, label } = checkpoint
  const layout = resblocksLayout('facebook', prefix)
  const size = (tensor: string, axis: number) => storedSize(checkpoint, tensor, axis, 'Perception Encoder')
  const classToken = tensors.has(layout.classToken)
  const cells = size(layout.positions, 0) - (classToken ? 1 : 0)
  const grid = gridOf(cells, patchSizeOf(checkpoint, layout), hints, label)
  const trunk = trunkOf(checkpoint, layout, grid)
  const hidden = sizeOrNull(tensors, `${prefix}attn_pool.mlp.c_fc.weight`, 0)
  return {
    ...trunk,
    heads: headsOf(trunk.width, hints, label),
    hidden: size(`${layout.blocks}0.mlp.c_fc.weight`, 0),
    classToken,
    registers: 0,
    epsilon: EPSILON,
    preNorm: true,
    finalNorm: tensors.has(`${prefix}ln_post.weight`) ? 'tokens' : 'none',
    rotary: peRotary(classToken),
    layerScale: tensors.has(`${layout.blocks}0.ls_1.gamma`),
    mlp: 'ffn',
    activation: 'gelu',
    stem: { kind: 'patchify', bias: false },
    pooling: pePooling(hidden),
    projection: sizeOrNull(tensors, projectionName(prefix), 1),
    positions: { ...grid, specialRows: classToken, rule: 'bilinear' },
    rgbStats: NORMALISATIONS.half,
  }
}

/** The class token is at 0, and patches begin behind it. */
export function peRotary(classToken: boolean): RotaryRule {
  return {
    coordinates: { kind: 'whole', offset: classToken ? 1 : 0, reference: null },
    bands: { kind: 'temperature', temperature: 10000 },
    firstAxis: 'columns',
    spread: 'repeated',
    pairs: 'neighbours',
    registers: null,
  }
}

/** @param hidden counts the hidden channels of the pooling's feed-forward net; null where there is no pooling */
export function pePooling(hidden: number | null): Pooling {
  if (hidden === null) return { kind: 'mean' }
  return { kind: 'attention', heads: 8, specialTokens: true, epsilon: EPSILON, hidden, activation: 'gelu' }
}

function headsOf(width: number, { heads = PE_HEADS[width] }: VitHints, label: string): number {
  if (heads !== undefined) return heads
  throw new CheckpointError(
    'contradiction',
    `${label} is a Perception Encoder of width ${width}, and none of that width is published, so that its heads are not known: no tensor shows them. Give the number: option heads, --heads.`,
  )
}

function gridOf(cells: number, patchSize: number, { size }: VitHints, label: string): PatchGrid {
  const side = squareSideOrNull(cells) ?? 0
  const [rows, columns] =
    size === undefined ? [side, side] : [Math.floor(size[0] / patchSize), Math.floor(size[1] / patchSize)]
  if (rows > 0 && rows * columns === cells) return { rows, columns }
  throw new CheckpointError(
    'contradiction',
    `${label}: its ${cells} positions fit ${size === undefined ? 'no square grid' : `no image of ${size[0]} x ${size[1]} pixels`}. Give the size that it was trained at: trainedSize, --trained-size HEIGHTxWIDTH.`,
  )
}
