/** Names what the text tower of CLIP has in transformers, beside open_clip's names of the modules of a block. */
const EMBEDDINGS = 'text_model.embeddings.'

export const CLIP_TEXT = {
  tokens: `${EMBEDDINGS}token_embedding.weight`,
  positions: `${EMBEDDINGS}position_embedding.weight`,
  layers: 'text_model.encoder.layers.',
  lastNorm: 'text_model.final_layer_norm',
  projection: 'text_projection.weight',
} as const

export const CLIP_BLOCK_PARTS: readonly (readonly [transformers: string, openClip: string])[] = [
  ['layer_norm1', 'ln_1'],
  ['self_attn.out_proj', 'attn.out_proj'],
  ['layer_norm2', 'ln_2'],
  ['mlp.fc1', 'mlp.c_fc'],
  ['mlp.fc2', 'mlp.c_proj'],
]

/** With this number transformers takes the largest of a text's tokens for its end, as its first files of CLIP had it. */
export const LEGACY_END = 2
