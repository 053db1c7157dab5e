/** Says what the image towers of transformers that stand beside a text tower have in common: names of tensors, and fields of their config.json. */
import type { Places } from '../dialects/layout.js'
import { OF_EVERY_CONFIG } from '../dialects/transformers-fields.js'
import { counts, each, nothing } from '../fields.js'

/** Names the modules of a block. */
export const TOWER_PARTS: Places = {
  norm1: 'layer_norm1',
  'attn.qkv': { pieces: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'] },
  'attn.proj': 'self_attn.out_proj',
  norm2: 'layer_norm2',
  'mlp.0': 'mlp.fc1',
  'mlp.3': 'mlp.fc2',
}

/** Are the fields of an image tower. */
export const OF_VISION_TOWERS = {
  ...OF_EVERY_CONFIG,
  ...each(
    ['hidden_size', 'num_hidden_layers', 'intermediate_size', 'num_channels', 'patch_size'],
    counts('a size of the network; the weights must agree'),
  ),
  num_attention_heads: counts('the heads'),
  hidden_act: counts('the activation of the feed-forward nets'),
  layer_norm_eps: counts('the epsilon of every norm'),
  attention_dropout: nothing('it acts while training only'),
}

/** Are the fields around both towers. */
export const OF_TWO_TOWERS = {
  ...OF_EVERY_CONFIG,
  model_type: counts('which network it is'),
  vision_config: counts('the settings of the image tower'),
  text_config: nothing('it is about the text tower'),
  ...each(
    ['logit_scale_init_value', 'initializer_factor', 'initializer_range', 'temperature_init_value'],
    nothing('it acts while training only'),
  ),
}
