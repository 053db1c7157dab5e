/** Says a text tower of transformers' CLIP in open_clip's words, which never builds an image tower alone. */
import { ConfigReader } from '../../model/dialects/config-reader.js'
import type { VitHints } from '../../model/dialects/dialect.js'
import { countBlocks } from '../../model/dialects/headers.js'
import { activationOf } from '../../model/families/transformers-file.js'
import { isRecord } from '../../plain-value.js'
import type { Shape } from '../../tensor/shape.js'
import type { ConvertSource } from '../convert-source.js'
import type { CarriedTensor, TextTower } from '../writer.js'
import { CLIP_BLOCK_PARTS, CLIP_TEXT, LEGACY_END } from './clip-text-names.js'
import { ratioOf } from './timm-files.js'

const { tokens: TOKENS, positions: POSITIONS, layers: LAYERS, lastNorm: LAST_NORM } = CLIP_TEXT

/** Gives the text tower, or says in words why none is written. */
export function openClipText(
  { checkpoint, config, vit }: ConvertSource,
  { configFile }: VitHints,
): TextTower | string {
  const { tensors, label } = checkpoint
  const needed = [TOKENS, `${LAST_NORM}.weight`, CLIP_TEXT.projection, 'logit_scale']
  if (vit.dialect !== 'hugging-face' || !needed.every((name) => tensors.has(name)))
    return 'the source has none of CLIP of transformers'
  const settings = isRecord(configFile) && isRecord(configFile.text_config) ? configFile.text_config : {}
  const reader = new ConfigReader(settings, label)
  const activation = activationOf(reader, 'hidden_act', 'quick_gelu')
  if (activation !== config.activation)
    return `the one of the source has the activation ${activation}, and the image tower ${config.activation}, where open_clip has one for both`
  const shapeOf = (name: string): Shape => tensors.get(name)?.shape ?? []
  const [vocabulary = 0, width = 0] = shapeOf(TOKENS)
  const [context = 0] = shapeOf(POSITIONS)
  const [hidden = 0] = shapeOf(`${LAYERS}0.mlp.fc1.weight`)
  const layers = countBlocks(tensors, LAYERS)
  const epsilon = reader.number('layer_norm_eps', 1e-5)
  const end = reader.number('eos_token_id', 49407)
  return {
    settings: {
      context_length: context,
      vocab_size: vocabulary,
      width,
      heads: reader.number('num_attention_heads', 8),
      layers,
      mlp_ratio: ratioOf(hidden, width),
      ...(epsilon === 1e-5 ? {} : { norm_kwargs: { eps: epsilon } }),
      ...(end === LEGACY_END ? {} : { pool_type: 'eos', eos_id: end }),
    },
    tensors: tensorsOf(layers, width, shapeOf),
  }
}

function tensorsOf(
  layers: number,
  width: number,
  shapeOf: (name: string) => Shape,
): readonly CarriedTensor[] {
  const renamed = (from: string, name: string) => ({ name, shape: shapeOf(from), from: [from] })
  const vectors = (from: string, name: string) =>
    ['weight', 'bias'].map((vector) => renamed(`${from}.${vector}`, `${name}.${vector}`))
  const blocks = Array.from({ length: layers }, (_, block) => {
    const [theirs, own] = [`${LAYERS}${block}.`, `transformer.resblocks.${block}.`]
    const attention = ['weight', 'bias'].map((vector) => ({
      name: `${own}attn.in_proj_${vector}`,
      shape: vector === 'weight' ? [3 * width, width] : [3 * width],
      from: ['q', 'k', 'v'].map((part) => `${theirs}self_attn.${part}_proj.${vector}`),
    }))
    return [
      ...attention,
      ...CLIP_BLOCK_PARTS.flatMap(([part, name]) => vectors(`${theirs}${part}`, `${own}${name}`)),
    ]
  })
  const { projection } = CLIP_TEXT
  return [
    renamed(TOKENS, 'token_embedding.weight'),
    renamed(POSITIONS, 'positional_embedding'),
    ...blocks.flat(),
    ...vectors(LAST_NORM, 'ln_final'),
    {
      name: 'text_projection',
      shape: shapeOf(projection).toReversed(),
      from: [projection],
      isTurned: true,
    },
    renamed('logit_scale', 'logit_scale'),
  ]
}
