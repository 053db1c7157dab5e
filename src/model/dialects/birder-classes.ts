/** Tells Birder's classes whose tensors have other names than ViT's, and gives these names as ViT has them, so that the same can be inferred of them. */
import type { TensorInfo } from '../../checkpoint/checkpoint.js'

type Tensors = ReadonlyMap<string, TensorInfo>

/** Says by which tensor a class shows. */
const TRACES: readonly (readonly [kind: string, isOf: (tensors: Tensors) => boolean])[] = [
  ['DeiT', (tensors) => tensors.has('dist_token')],
  ['ViT_SAM', (tensors) => tensors.has('body.0.attn.rel_pos_h')],
  ['ViT_Parallel', (tensors) => tensors.has('encoder.block.0.attn_blocks.0.0.weight')],
  // Its table is a buffer, and so has no axis for a batch.
  ['Simple_ViT', (tensors) => tensors.get('pos_embedding')?.shape.length === 2],
]

/** Names Birder's class that the tensors show; null where they have the names of ViT's, as those of several classes do. */
export function classOfTensorsOrNull(tensors: Tensors): string | null {
  return TRACES.find(([, isOf]) => isOf(tensors))?.[0] ?? null
}

/** Names the parts of a block of ViT_Parallel: `Sequential(norm, part, layer scale)`. */
const BRANCH_PARTS: { readonly [place: string]: string } = {
  'attn_blocks 0': 'norm1',
  'attn_blocks 1': 'attn',
  'attn_blocks 2': 'layer_scale_1',
  'mlp_blocks 0': 'norm2',
  'mlp_blocks 1': 'mlp',
  'mlp_blocks 2': 'layer_scale_2',
}

/** Gives the tensor of a canonical weight as ViT_SAM names it. */
export function samTensor(weight: string): string {
  return weight
    .replace(/^encoder\.block\./, 'body.')
    .replace(/^conv_proj\./, 'patch_embed.proj.')
    .replace(/^norm\./, 'neck.')
}

/** Gives the tensors under the names that ViT has for them; of branches side by side, those of the first. */
export function namedAsVit(tensors: Tensors): Tensors {
  const named = new Map<string, TensorInfo>()
  for (const [name, info] of tensors) {
    const [, block, kind, branch, place, rest] =
      /^(encoder\.block\.\d+)\.(attn_blocks|mlp_blocks)\.(\d+)\.(\d)\.(.+)$/.exec(name) ?? []
    const part = BRANCH_PARTS[`${kind} ${place}`]
    if (part === undefined)
      named.set(name.replace(/^body\./, 'encoder.block.').replace(/^patch_embed\.proj\./, 'conv_proj.'), info)
    else if (branch === '0') named.set(`${block}.${part}.${rest}`, info)
  }
  return named
}

/** Gives the tensor of a canonical weight of a branch, as ViT_Parallel names it; null for a weight of no branch. */
export function branchTensorOrNull(weight: string): string | null {
  const [, block, branch = '0', part, rest] =
    /^(encoder\.block\.\d+)\.(?:branch\.(\d+)\.)?(norm1|attn|layer_scale_1|norm2|mlp|layer_scale_2)\.(.+)$/.exec(
      weight,
    ) ?? []
  if (part === undefined) return null
  const [place] = Object.entries(BRANCH_PARTS).find(([, own]) => own === part) ?? []
  const [kind, index] = (place ?? '').split(' ')
  return `${block}.${kind}.${branch}.${index}.${rest}`
}
