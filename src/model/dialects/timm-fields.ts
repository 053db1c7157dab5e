/**
 * Lists the fields of timm's config.json, and what each does here: those at its top, those of `model_args`, which are arguments of the class
 * VisionTransformer, and those of `pretrained_cfg`, which are of the class PretrainedCfg.
 */
import { counts, each, type Field, type FieldTable, nothing, only } from '../fields.js'

const RECORD = nothing('it records where the weights come from')
const LABELS = nothing('it names classes, which come by their number as well; features do not rest on names')
export const TRAINING = nothing('it acts while training only')
const ELSEWHERE = nothing('timm uses it for other input than the trained size, and only where it is told to')

/** Holds the fields of PretrainedCfg. */
const INPUT_FIELDS: { readonly [name: string]: Field } = {
  input_size: counts("the input's size: channels, height, width"),
  interpolation: counts('the filter of the resize'),
  crop_pct: counts('the part of each side that the crop keeps'),
  crop_mode: counts('whether the image is cut, squashed or padded to the size'),
  mean: counts('the mean of each channel'),
  std: counts('the deviation of each channel'),
  ...each(['test_input_size', 'min_input_size', 'test_crop_pct', 'test_pool_size'], ELSEWHERE),
  fixed_input_size: counts("whether img_size of model_args is the input's size, whatever input_size says"),
  ...each(
    [
      'url',
      'file',
      'hf_hub_id',
      'hf_hub_filename',
      'source',
      'tag',
      'license',
      'description',
      'origin_url',
      'paper_name',
      'paper_ids',
      'notes',
    ],
    RECORD,
  ),
  state_dict: only([null], 'weights come from the file'),
  custom_load: nothing('it is about files of other libraries, which timm converts'),
  num_classes: nothing('the classifier shows them'),
  ...each(['label_offset', 'label_names', 'label_descriptions', 'labels'], LABELS),
  pool_size: nothing('it belongs to convolutional networks'),
  ...each(['first_conv', 'classifier'], nothing('it names tensors, which are told by their own names')),
}

const TOP_FIELDS: { readonly [name: string]: Field } = {
  architecture: counts('what no tensor tells: heads, epsilon, activation, pooling, kind of block'),
  num_classes: counts('the classes; they must be those of the classifier'),
  num_features: nothing('timm writes it for people to read'),
  global_pool: counts('the pooling; timm builds by model_args and the architecture, and it must be that'),
  model_args: counts('arguments of the network, see below'),
  ...each(['label_names', 'label_descriptions', 'labels'], LABELS),
  ...each(
    [
      'model_type',
      'architectures',
      'transformers_version',
      'torch_dtype',
      'dtype',
      '_name_or_path',
      'id2label',
      'label2id',
      'num_labels',
      'problem_type',
      'initializer_range',
      'output_hidden_states',
      'return_dict',
      'chunk_size_feed_forward',
      'is_encoder_decoder',
    ],
    nothing('transformers adds it where it wraps a network of timm'),
  ),
  do_pooling: only([null, true], 'the embedding is the pooled vector'),
}

export const TIMM_CONFIG: FieldTable = {
  title: "timm: the top of config.json, and TimmWrapperConfig's of transformers",
  source: 'timm 1.0.31: models/_hub.py; transformers 5.24.0: models/timm_wrapper',
  isBeside: true,
  prefix: '',
  fields: { ...TOP_FIELDS, pretrained_cfg: counts('how images are made, see below') },
}

export const TIMM_OLD_CONFIG: FieldTable = {
  title: 'timm: an older config.json, which has the fields of pretrained_cfg at its top',
  source: 'timm 1.0.31: models/_hub.py, _parse_model_cfg',
  isBeside: true,
  prefix: '',
  fields: { ...INPUT_FIELDS, ...TOP_FIELDS },
}

/** Says of an argument that the weights show it too. */
export const SHOWN = counts('a size or a part of the network; the weights must agree')

export const TIMM_MODEL_ARGS: FieldTable = {
  title: 'timm: model_args of config.json, arguments of VisionTransformer',
  source: 'timm 1.0.31: models/vision_transformer.py',
  isBeside: true,
  prefix: 'model_args.',
  fields: {
    num_heads: counts('the heads'),
    img_size: counts('the trained size: the grid of the position table'),
    global_pool: counts(
      "the pooling: token, avg, max, avgmax, map; with '' the class token is the embedding",
    ),
    pool_include_prefix: counts('whether class token and registers are pooled with the patches'),
    fc_norm: counts('whether the last norm comes after pooling'),
    final_norm: counts('whether there is a last norm'),
    act_layer: counts('the activation of the feed-forward net'),
    norm_layer: counts('the kind of norm, and its epsilon'),
    no_embed_class: counts('whether class token and registers have positions'),
    ...each(
      [
        'patch_size',
        'in_chans',
        'embed_dim',
        'depth',
        'mlp_ratio',
        'qkv_bias',
        'qk_norm',
        'scale_attn_norm',
        'scale_mlp_norm',
        'proj_bias',
        'init_values',
        'class_token',
        'reg_tokens',
        'pre_norm',
        'num_classes',
      ],
      SHOWN,
    ),
    pos_embed: only([null, 'learn'], 'without a table a network has no positions'),
    embed_layer: only([null], 'patches are cut and multiplied'),
    embed_norm_layer: only([null, ''], 'the architecture tells of a norm on patches alone'),
    block_fn: only([null], 'the architecture tells the kind of block'),
    mlp_layer: only([null], 'the tensors tell whether the feed-forward net is gated'),
    attn_layer: only([null, ''], 'attention is the plain one'),
    ...each(
      [
        'drop_rate',
        'pos_drop_rate',
        'patch_drop_rate',
        'proj_drop_rate',
        'attn_drop_rate',
        'drop_path_rate',
        'weight_init',
        'fix_init',
      ],
      TRAINING,
    ),
    ...each(
      ['dynamic_img_size', 'strict_img_size'],
      counts("whether the input's size may be another than img_size"),
    ),
    dynamic_img_pad: nothing('the input is made of whole patches here'),
    use_naflex: only([null, false], 'NaFlexVit resamples positions in another way'),
    ...each(['device', 'dtype'], nothing('it says how the same numbers are computed')),
    ...each(['out_indices', 'features_only'], nothing('it chooses what a call in Python returns')),
  },
}

export const TIMM_PRETRAINED_CFG: FieldTable = {
  title: 'timm: pretrained_cfg of config.json, a PretrainedCfg',
  source: 'timm 1.0.31: models/_pretrained.py',
  isBeside: true,
  prefix: 'pretrained_cfg.',
  fields: { ...INPUT_FIELDS, architecture: nothing("the file's own architecture, at its top, counts") },
}
