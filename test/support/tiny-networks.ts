/** Makes the smallest network of each layout, which has one block, 4 channels, 2 x 2 patches. Tensors have the names that the libraries give them. */
import type { Checkpoint, TensorInfo } from '../../src/checkpoint/checkpoint.js'
import type { PlainRecord } from '../../src/plain-value.js'
import { elementCount, type Shape } from '../../src/tensor/shape.js'
import { float32Tensor } from '../../src/tensor/tensor.js'

export type Shapes = { readonly [tensor: string]: Shape }

export const vectors = (module: string, length: number): Shapes => ({
  [`${module}.weight`]: [length],
  [`${module}.bias`]: [length],
})
export const linear = (module: string, rows: number, columns: number): Shapes => ({
  [`${module}.weight`]: [rows, columns],
  [`${module}.bias`]: [rows],
})

/** Element i of tensor t is 100 t + i, so that every number tells where it comes from. */
export function tinyCheckpoint(shapes: Shapes, metadata: PlainRecord = {}): Checkpoint {
  const tensors = new Map<string, TensorInfo>(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      { dtype: 'F32', shape, byteLength: 4 * elementCount(shape) },
    ]),
  )
  const names = Object.keys(shapes)
  return {
    label: 'it',
    format: 'safetensors',
    metadata,
    wrapping: '',
    dropped: [],
    choice: null,
    tensors,
    async read(name) {
      const shape = shapes[name]
      if (shape === undefined) throw new Error(`no ${name}`)
      const first = 100 * names.indexOf(name)
      return float32Tensor(
        Float32Array.from({ length: elementCount(shape) }, (_, i) => first + i),
        shape,
      )
    },
  }
}

/** Meta's table has a row for the class token and timm's for the registers, too. */
const metaFront = (registers: string, special: number): Shapes => ({
  cls_token: [1, 1, 4],
  [registers]: [1, 2, 4],
  pos_embed: [1, special + 4, 4],
  'patch_embed.proj.weight': [4, 3, 2, 2],
  'patch_embed.proj.bias': [4],
})
const metaBlock: Shapes = {
  ...vectors('blocks.0.norm1', 4),
  ...linear('blocks.0.attn.qkv', 12, 4),
  ...linear('blocks.0.attn.proj', 4, 4),
  'blocks.0.ls1.gamma': [4],
  ...vectors('blocks.0.norm2', 4),
  'blocks.0.ls2.gamma': [4],
  ...vectors('norm', 4),
}
const huggingFaceShapes: Shapes = {
  'embeddings.cls_token': [1, 1, 4],
  'embeddings.register_tokens': [1, 2, 4],
  'embeddings.position_embeddings': [1, 5, 4],
  'embeddings.patch_embeddings.projection.weight': [4, 3, 2, 2],
  'embeddings.patch_embeddings.projection.bias': [4],
  ...vectors('encoder.layer.0.norm1', 4),
  ...linear('encoder.layer.0.attention.attention.query', 4, 4),
  ...linear('encoder.layer.0.attention.attention.key', 4, 4),
  ...linear('encoder.layer.0.attention.attention.value', 4, 4),
  ...linear('encoder.layer.0.attention.output.dense', 4, 4),
  'encoder.layer.0.layer_scale1.lambda1': [4],
  ...vectors('encoder.layer.0.norm2', 4),
  'encoder.layer.0.layer_scale2.lambda1': [4],
  ...vectors('layernorm', 4),
}
const plain = (block: string): Shapes => ({
  ...linear(`${block}.mlp.fc1`, 8, 4),
  ...linear(`${block}.mlp.fc2`, 4, 8),
})

export const TINY_NETWORKS = {
  facebook: { ...metaFront('register_tokens', 1), ...metaBlock, ...plain('blocks.0') },
  'facebook, gated': {
    ...metaFront('register_tokens', 1),
    ...metaBlock,
    ...linear('blocks.0.mlp.w12', 16, 4),
    ...linear('blocks.0.mlp.w3', 4, 8),
  },
  timm: { ...metaFront('reg_token', 3), ...metaBlock, ...plain('blocks.0'), ...linear('head', 7, 4) },
  'timm, gated': {
    ...metaFront('reg_token', 3),
    ...metaBlock,
    ...linear('blocks.0.mlp.fc1', 16, 4),
    ...linear('blocks.0.mlp.fc2', 4, 8),
  },
  'hugging-face': { ...huggingFaceShapes, ...plain('encoder.layer.0') },
  'hugging-face, gated': {
    ...huggingFaceShapes,
    ...linear('encoder.layer.0.mlp.weights_in', 16, 4),
    ...linear('encoder.layer.0.mlp.weights_out', 4, 8),
  },
  birder: {
    class_token: [1, 1, 4],
    reg_tokens: [1, 2, 4],
    pos_embedding: [1, 7, 4],
    ...linear('conv_proj', 4, 3),
    'conv_proj.weight': [4, 3, 2, 2],
    ...vectors('encoder.block.0.norm1', 4),
    ...linear('encoder.block.0.attn.qkv', 12, 4),
    ...linear('encoder.block.0.attn.proj', 4, 4),
    ...vectors('encoder.block.0.norm2', 4),
    ...linear('encoder.block.0.mlp.0', 8, 4),
    ...linear('encoder.block.0.mlp.3', 4, 8),
    ...vectors('norm', 4),
  },
} as const satisfies { readonly [name: string]: Shapes }
