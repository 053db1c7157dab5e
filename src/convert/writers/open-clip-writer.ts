/** Writes open_clip's own CLIP: weights and open_clip_config.json, with the text tower where the source has one of transformers'. */
import type { Recipe } from '../../image/recipe.js'
import { openClip } from '../../model/families/open-clip.js'
import type { Pooling } from '../../model/vit-config.js'
import type { PlainRecord } from '../../plain-value.js'
import { textOf } from '../holdings.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { openClipText } from './open-clip-text.js'
import { learntTable } from './positions-held.js'
import { ratioOf } from './timm-files.js'

/** Says by which name open_clip pools so. */
const POOLS: readonly (readonly [name: string, pooling: Pooling])[] = [
  ['tok', { kind: 'class' }],
  ['avg', { kind: 'mean' }],
  ['avg_all', { kind: 'mean', specialTokens: true }],
]

export const openClipWriter: Writer = {
  library: 'open-clip',
  class: 'VisionTransformer of CLIP',
  holds: {
    epsilon: 'any',
    preNorm: 'any',
    finalNorm: ['tokens', 'pooled'],
    layerScale: 'any',
    activation: ['gelu', 'quick_gelu'],
    stem: [{ kind: 'patchify', bias: false }],
    pooling: POOLS.map(([, pooling]) => pooling),
    projection: ({ projection }) =>
      projection === null ? 'projection to the space of texts: none, where it always has one' : null,
    positions: learntTable,
  },
  source: (weight, shape, config) => openClip.source(weight, shape, config, new Map()),
  positions: (config) => {
    const table = openClip.positions(config)
    if (table === null) throw new Error('The image tower of CLIP has a position table.')
    return table
  },
  text: openClipText,
  files,
  notes: (_config, _isAlone, text) =>
    typeof text === 'string'
      ? [
          `open_clip builds a text tower beside the image tower, and none is written, since ${text}: make the model with create_model(..., load_weights=False), load the file with strict=False, and take model.visual or encode_image alone.`,
        ]
      : [],
}

function files({ config, recipe, text }: WrittenNetwork): WrittenFiles {
  const { size, patchSize, width, depth, heads, hidden, epsilon, preNorm, finalNorm } = config
  const { layerScale, activation, pooling, projection, rgbStats } = config
  const [height, breadth] = size
  const [pool = 'tok'] = POOLS.find(([, one]) => textOf(one) === textOf(pooling)) ?? []
  const vision = {
    image_size: height === breadth ? height : [height, breadth],
    patch_size: patchSize,
    width,
    layers: depth,
    head_width: width / heads,
    mlp_ratio: ratioOf(hidden, width),
    ...(layerScale ? { ls_init_value: 1e-5 } : {}),
    ...(preNorm ? {} : { no_ln_pre: true }),
    ...(pool === 'tok' ? {} : { pool_type: pool }),
    ...(finalNorm === 'pooled' ? { final_ln_after_pool: true } : {}),
    ...(epsilon === 1e-5 ? {} : { norm_kwargs: { eps: epsilon } }),
  }
  return {
    openClipFile: {
      model_cfg: {
        embed_dim: projection,
        ...(activation === 'quick_gelu' ? { quick_gelu: true } : {}),
        vision_cfg: vision,
        text_cfg: typeof text === 'string' ? {} : text.settings,
      },
      preprocess_cfg: { mean: rgbStats.mean, std: rgbStats.std, ...resizeFields(recipe, size) },
    },
  }
}

/** Of a resize that open_clip has no words for it gives its usual one, which a comparison of both recipes tells. */
function resizeFields(
  { resize, size, filter }: Recipe,
  [height, width]: readonly [number, number],
): PlainRecord {
  const isOther = size[0] !== height || size[1] !== width
  return {
    interpolation: filter === 'bilinear' ? 'bilinear' : 'bicubic',
    resize_mode: resize.kind === 'squash' || size[0] !== size[1] ? 'squash' : 'shortest',
    ...(isOther ? { size: [...size] } : {}),
  }
}
