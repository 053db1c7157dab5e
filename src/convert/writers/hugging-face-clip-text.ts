/** Says a text tower of open_clip in the words of transformers' CLIP, which has both towers in one file. */
import { ConfigReader } from '../../model/dialects/config-reader.js'
import type { VitHints } from '../../model/dialects/dialect.js'
import { countBlocks } from '../../model/dialects/headers.js'
import { isRecord, type PlainRecord } from '../../plain-value.js'
import type { Shape } from '../../tensor/shape.js'
import type { ConvertSource } from '../convert-source.js'
import type { CarriedTensor, TextTower } from '../writer.js'
import { CLIP_BLOCK_PARTS, CLIP_TEXT, LEGACY_END } from './clip-text-names.js'
import { activationName } from './transformers-files.js'

const BLOCKS = 'transformer.resblocks.'
const TOKENS = 'token_embedding.weight'

/** Are the settings that transformers has words for, or that are about texts before they are tokens. */
const KNOWN = new Set([
  'context_length',
  'vocab_size',
  'hf_tokenizer_name',
  'tokenizer_mode',
  'tokenizer_kwargs',
  'width',
  'heads',
  'layers',
  'mlp_ratio',
  'pad_id',
  'norm_kwargs',
  'pool_type',
  'eos_id',
])

/** Gives the text tower, or says in words why none is written. */
export function huggingFaceClipText(
  { checkpoint, config, vit }: ConvertSource,
  { openClipFile }: VitHints,
): TextTower | string {
  const { tensors, label } = checkpoint
  const needed = [TOKENS, 'positional_embedding', 'ln_final.weight', 'text_projection', 'logit_scale']
  if (vit.dialect !== 'open-clip' || !needed.every((name) => tensors.has(name)))
    return "the source has none of open_clip's own CLIP"
  if (config.projection === null) return 'the image tower has no projection, without which there is none'
  if (tensors.has('logit_bias'))
    return 'the one of the source has a logit_bias, and CLIP of transformers none'
  const model = isRecord(openClipFile) && isRecord(openClipFile.model_cfg) ? openClipFile.model_cfg : {}
  const settings = isRecord(model.text_cfg) ? model.text_cfg : {}
  const other = Object.entries(settings).find(
    ([name, value]) => !KNOWN.has(name) && value !== null && value !== false,
  )
  if (other !== undefined)
    return `the one of the source has the setting text_cfg.${other[0]}, which CLIP of transformers does not have`
  const reader = new ConfigReader(settings, label)
  const pool = settings.pool_type ?? 'argmax'
  // With the legacy number transformers takes the largest of a text's tokens for its end.
  const end = pool === 'argmax' ? LEGACY_END : reader.number('eos_id', LEGACY_END)
  if (pool !== 'argmax' && (pool !== 'eos' || end === LEGACY_END))
    return `the one of the source has pool_type ${JSON.stringify(pool)} with eos_id ${end}, which CLIP of transformers does not have`
  const shapeOf = (name: string): Shape => tensors.get(name)?.shape ?? []
  const [vocabulary = 0, width = 0] = shapeOf(TOKENS)
  const [context = 0] = shapeOf('positional_embedding')
  const [hidden = 0] = shapeOf(`${BLOCKS}0.mlp.c_fc.weight`)
  const layers = countBlocks(tensors, BLOCKS)
  const kwargs = isRecord(settings.norm_kwargs) ? settings.norm_kwargs : {}
  return {
    settings: {
      model_type: 'clip_text_model',
      vocab_size: vocabulary,
      hidden_size: width,
      intermediate_size: hidden,
      projection_dim: config.projection,
      num_hidden_layers: layers,
      num_attention_heads: reader.number('heads', 8),
      max_position_embeddings: context,
      hidden_act: activationName(config.activation),
      layer_norm_eps: new ConfigReader(kwargs, label).number('eps', 1e-5),
      eos_token_id: end,
      // Nothing is computed with these, and the usual ones lie beyond a smaller vocabulary.
      bos_token_id: 0,
      pad_token_id: 1,
    } satisfies PlainRecord,
    tensors: tensorsOf(layers, shapeOf),
  }
}

function tensorsOf(layers: number, shapeOf: (name: string) => Shape): readonly CarriedTensor[] {
  const renamed = (from: string, name: string) => ({ name, shape: shapeOf(from), from: [from] })
  const vectors = (from: string, name: string) =>
    ['weight', 'bias'].map((vector) => renamed(`${from}.${vector}`, `${name}.${vector}`))
  const blocks = Array.from({ length: layers }, (_, block) => {
    const [own, theirs] = [`${BLOCKS}${block}.`, `${CLIP_TEXT.layers}${block}.`]
    const attention = ['weight', 'bias'].flatMap((vector) => {
      const from = `${own}attn.in_proj_${vector}`
      const [rows = 0, ...others] = shapeOf(from)
      return ['q', 'k', 'v'].map((part, band) => ({
        name: `${theirs}self_attn.${part}_proj.${vector}`,
        shape: [rows / 3, ...others],
        from: [from],
        band,
      }))
    })
    return [
      ...attention,
      ...CLIP_BLOCK_PARTS.flatMap(([part, name]) => vectors(`${own}${name}`, `${theirs}${part}`)),
    ]
  })
  return [
    renamed(TOKENS, CLIP_TEXT.tokens),
    renamed('positional_embedding', CLIP_TEXT.positions),
    ...blocks.flat(),
    ...vectors('ln_final', CLIP_TEXT.lastNorm),
    {
      name: CLIP_TEXT.projection,
      shape: shapeOf('text_projection').toReversed(),
      from: ['text_projection'],
      isTurned: true,
    },
    { name: 'logit_scale', shape: [], from: ['logit_scale'] },
  ]
}
