/** Whatever headers and configs a file has, reading it gives a network or a `CheckpointError`, never an error of another kind. */
import fc from 'fast-check'
import { test } from 'vitest'
import { type Shapes, TINY_NETWORKS, tinyCheckpoint } from '../../../test/support/tiny-networks.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { PlainRecord, PlainValue } from '../../plain-value.js'
import type { Shape } from '../../tensor/shape.js'
import type { FieldTable } from '../fields.js'
import { readVit } from '../read-vit.js'
import type { VitHints } from './dialect.js'
import { TIMM_CONFIG, TIMM_MODEL_ARGS, TIMM_PRETRAINED_CFG } from './timm-fields.js'
import { TRANSFORMERS_CONFIG, TRANSFORMERS_PROCESSOR } from './transformers-fields.js'

function readOrRefuse(shapes: Shapes, hints: VitHints, metadata: PlainRecord = {}): void {
  try {
    readVit(tinyCheckpoint(shapes, metadata), { heads: 2, ...hints }).readPreparation()
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
  }
}

const names = Object.keys(TINY_NETWORKS) as (keyof typeof TINY_NETWORKS)[]
const sizes = fc.oneof(fc.integer({ min: 0, max: 16 }), fc.constant(2 ** 31), fc.constant(2 ** 53))
const nearShape = (shape: Shape) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(shape) },
    { weight: 1, arbitrary: fc.array(sizes, { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.tuple(...shape.map((size) => fc.oneof(fc.constant(size), sizes))) },
  )

test.each(names)('%s: whatever shapes the headers have, there is a network or a CheckpointError', (name) => {
  const shapes = Object.entries<Shape>(TINY_NETWORKS[name])
  const arbitrary = fc.record(
    Object.fromEntries(shapes.map(([tensor, shape]) => [tensor, nearShape(shape)])),
    {
      requiredKeys: shapes.map(([tensor]) => tensor).filter((tensor) => /norm1|qkv|query/.test(tensor)),
    },
  )
  fc.assert(
    fc.property(arbitrary, (headers) => readOrRefuse(headers, {})),
    { numRuns: 300 },
  )
})

/** Makes configs of known keys, whose values are right, nearly right, or anything. */
const settings = (keys: readonly string[]) => {
  const value = fc.oneof(
    fc.constantFrom<PlainValue>(
      0,
      1,
      2,
      4,
      8,
      -1,
      0.5,
      1e6,
      1e300,
      true,
      false,
      null,
      '',
      'avg',
      'hmlp',
      'RMSNorm',
    ),
    fc.constantFrom<PlainValue>(
      'SwiGLU_FFN',
      'SoftMoE_FFN',
      'EfficientProbing',
      'dinov2',
      [3, 4, 4],
      [0.5],
      [{}],
    ),
    fc.jsonValue({ maxDepth: 2 }).map((json) => JSON.parse(JSON.stringify(json)) as PlainValue),
  )
  return fc.dictionary(fc.constantFrom(...keys), value)
}
const birderKeys = [
  'patch_size',
  'num_layers',
  'num_heads',
  'hidden_dim',
  'mlp_dim',
  'num_reg_tokens',
  'class_token',
  'pre_norm',
  'abs_pos_embed',
  'pos_embed_special_tokens',
  'post_norm',
  'norm_after_pool',
  'norm_layer_type',
  'norm_layer_eps',
  'mlp_layer_type',
  'soft_moe_num_experts',
  'soft_moe_num_slots',
  'attn_pool_head',
  'attn_pool_type',
  'attn_pool_num_heads',
  'attn_pool_special_tokens',
  'stem_type',
  'stem_norm_layer_type',
  'out_indices',
  'qk_norm',
]

test('birder: whatever the config and the entries of the file, there is a network or a CheckpointError', () => {
  const entries = fc.record(
    {
      config: settings(birderKeys),
      signature: fc.oneof(
        fc.constant({ inputs: [{ data_shape: [0, 3, 4, 4] }], outputs: [{ data_shape: [0, 0] }] }),
        settings(['inputs', 'outputs']),
      ),
      rgb_stats: settings(['mean', 'std']),
      birder_version: fc.constant('0.8.4'),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(entries, settings(birderKeys), (metadata, config) => {
      readOrRefuse(TINY_NETWORKS.birder, { config }, metadata as PlainRecord)
    }),
    { numRuns: 1000 },
  )
})

const countedKeys = ({ fields }: FieldTable) =>
  Object.keys(fields).filter((name) => fields[name]?.use === 'counts')

test.each(names.filter((name) => name.startsWith('hugging-face') || name.startsWith('facebook')))(
  '%s: whatever its two files of transformers say, there is a network or a CheckpointError',
  (name) => {
    fc.assert(
      fc.property(
        settings(countedKeys(TRANSFORMERS_CONFIG)),
        settings(countedKeys(TRANSFORMERS_PROCESSOR)),
        (configFile, preprocessorFile) => {
          readOrRefuse(TINY_NETWORKS[name], { configFile })
          readOrRefuse(TINY_NETWORKS[name], { preprocessorFile })
        },
      ),
      { numRuns: 150 },
    )
  },
)

test.each(names.filter((name) => name.startsWith('timm')))(
  '%s: whatever its config of timm says, there is a network or a CheckpointError',
  (name) => {
    const architecture = 'vit_tiny_patch16_224'
    fc.assert(
      fc.property(
        settings(countedKeys(TIMM_CONFIG)),
        settings(countedKeys(TIMM_MODEL_ARGS)),
        settings(countedKeys(TIMM_PRETRAINED_CFG)),
        (file, model_args, pretrained_cfg) => {
          readOrRefuse(TINY_NETWORKS[name], { configFile: { ...file, architecture } })
          readOrRefuse(TINY_NETWORKS[name], { configFile: { architecture, model_args } })
          readOrRefuse(TINY_NETWORKS[name], {
            configFile: { architecture, pretrained_cfg, model_args: { img_size: 4 } },
          })
        },
      ),
      { numRuns: 150 },
    )
  },
)
