/**
 * Lists the fields of the two files that Hugging Face transformers keeps beside a DINOv2 network's weights, and what each does here. Classes of
 * older versions wrote more of them than today's read; what only text models use is there too, since every config once had it.
 */
import { counts, each, type FieldTable, nothing, only } from '../fields.js'

const TRAINING = nothing('it acts while training only')

/** Judges what networks built like DINOv2 have in their files for their training alone. */
export const OF_DINOV2_TRAINING: FieldTable['fields'] = each(
  [
    'hidden_dropout_prob',
    'attention_probs_dropout_prob',
    'drop_path_rate',
    'initializer_range',
    'layerscale_value',
  ],
  TRAINING,
)
const TEXT = nothing('only models that write text use it')
const OUTPUT = nothing('it says what a call in Python returns beside the features')
const LABELS = nothing('it names classes, which come by their number as well; features do not rest on names')
const RECORD = nothing('it records where the file comes from')

/** Is of repositories that bring code; what has no class of the library beside it is refused before (config-file.ts). */
const OWN_CODE = nothing(
  "it names code of the repository's own, which the library runs only where trust_remote_code is asked for: its own class is followed",
)

/** Fields of `BackboneConfigMixin`. */
export const OF_BACKBONES = {
  out_features: counts('the names of the layers that a backbone hands out'),
  out_indices: counts('the numbers of the layers that a backbone hands out'),
  ...each(
    ['_out_features', '_out_indices', 'stage_names'],
    nothing('it repeats out_features and out_indices'),
  ),
  ...each(
    ['reshape_hidden_states', 'return_class_token'],
    nothing('it says in which form a call in Python returns a layer'),
  ),
}

/** Is the field of `BackboneConfigMixin` that only networks with a final norm on tokens have. */
export const NORMED_LAYERS = counts('whether the layers that a backbone hands out are normed')

/** Fields of `PreTrainedConfig` in transformers 4 and 5. */
export const OF_EVERY_CONFIG = {
  ...each(
    ['_name_or_path', 'name_or_path', '_commit_hash', 'architectures', 'transformers.js_config'],
    RECORD,
  ),
  auto_map: OWN_CODE,
  transformers_version: counts(
    'of files of transformers before 5.21 alpha is dropped, as its processors did, slow and fast; of newer ones, and where no version is recorded, images are laid on white (image_transforms.py, convert_to_rgb); the option transparency decides otherwise',
  ),
  ...each(
    ['torch_dtype', 'dtype'],
    nothing('weights are read in the type that they have, and computed in the precision asked for'),
  ),
  ...each(
    [
      'output_hidden_states',
      'output_attentions',
      'return_dict',
      'use_return_dict',
      'tie_last_hidden_states',
      'output_past',
    ],
    OUTPUT,
  ),
  ...each(
    ['id2label', 'label2id', 'num_labels', '_num_labels', 'problem_type', 'finetuning_task', 'loss_type'],
    LABELS,
  ),
  ...each(
    [
      '_attn_implementation',
      'attn_implementation',
      '_attn_implementation_autoset',
      '_attn_implementation_internal',
      '_experts_implementation',
      '_experts_implementation_internal',
      'experts_implementation',
      'torchscript',
      'use_bfloat16',
      'xla_device',
      'chunk_size_feed_forward',
      'gradient_checkpointing',
    ],
    nothing('it says how the same numbers are computed'),
  ),
  ...each(
    [
      'use_cache',
      'vocab_size',
      'tie_word_embeddings',
      'tie_encoder_decoder',
      'is_encoder_decoder',
      'is_decoder',
      'add_cross_attention',
      'cross_attention_hidden_size',
      'bos_token_id',
      'pad_token_id',
      'eos_token_id',
      'sep_token_id',
      'decoder_start_token_id',
      'prefix',
      'tokenizer_class',
      'task_specific_params',
      'max_length',
      'max_new_tokens',
      'min_length',
      'min_new_tokens',
      'do_sample',
      'early_stopping',
      'num_beams',
      'num_beam_groups',
      'diversity_penalty',
      'temperature',
      'top_k',
      'top_p',
      'typical_p',
      'repetition_penalty',
      'length_penalty',
      'no_repeat_ngram_size',
      'encoder_no_repeat_ngram_size',
      'bad_words_ids',
      'num_return_sequences',
      'output_scores',
      'return_dict_in_generate',
      'forced_bos_token_id',
      'forced_eos_token_id',
      'remove_invalid_values',
      'exponential_decay_length_penalty',
      'suppress_tokens',
      'begin_suppress_tokens',
      'tf_legacy_loss',
    ],
    TEXT,
  ),
  pruned_heads: only([null, {}], 'pruned heads are weights that are not there'),
  per_layer_config: only([null, {}], 'every block has the same settings'),
  quantization_config: only([null], 'quantized weights are kept in another form'),
} as const

export const TRANSFORMERS_CONFIG: FieldTable = {
  title: 'transformers: config.json of a Dinov2Config or Dinov2WithRegistersConfig',
  source: 'transformers 5.24.0 and 4.x: configuration_utils.py, models/dinov2, models/dinov2_with_registers',
  isBeside: true,
  prefix: '',
  fields: {
    ...OF_EVERY_CONFIG,
    model_type: counts('which network it is: dinov2 or dinov2_with_registers'),
    hidden_size: counts('the width; it must be that of the weights'),
    num_hidden_layers: counts('the blocks; they must be those of the weights'),
    num_attention_heads: counts('the heads'),
    mlp_ratio: counts('the hidden width of the feed-forward net; it must be that of the weights'),
    hidden_act: counts('the activation of the feed-forward net; a gated one has SiLU whatever it says'),
    layer_norm_eps: counts('the epsilon of every norm'),
    image_size: counts('the trained size: the grid of the position table'),
    patch_size: counts('the side of a patch; it must be that of the weights'),
    num_channels: counts('the channels; they must be those of the weights'),
    qkv_bias: counts('whether q, k and v have a bias; the weights must agree'),
    use_swiglu_ffn: counts('whether the feed-forward net is gated; the weights must agree'),
    num_register_tokens: counts('the registers; they must be those of the weights'),
    ...OF_DINOV2_TRAINING,
    // The first files with registers say what today's code does anyway.
    interpolate_antialias: only(
      [null, true],
      'positions of networks with registers are resampled with antialias',
    ),
    interpolate_offset: only([null, 0], 'positions are resampled by sizes, with no offset'),
    use_mask_token: nothing('masks stand in for patches while training only'),
    ...OF_BACKBONES,
    apply_layernorm: NORMED_LAYERS,
  },
}

export const TRANSFORMERS_PROCESSOR: FieldTable = {
  title: 'transformers: preprocessor_config.json of an image processor',
  source:
    'transformers 5.24.0 and 4.x: image_processing_utils.py, image_processing_backends.py, processing_utils.py',
  isBeside: true,
  prefix: '',
  fields: {
    ...each(
      ['image_processor_type', 'feature_extractor_type'],
      counts('the class, and with it what a setting is where it is left out'),
    ),
    do_resize: counts('whether the image is resized'),
    size: counts('the length of the shortest edge, or both sides'),
    default_to_square: counts('whether a single number in size is one side or the shortest edge'),
    resample: counts("the filter, by Pillow's number"),
    do_center_crop: counts('whether the middle is cut out'),
    crop_size: counts('the sides of the crop'),
    patch_size: counts("the side of a patch, of SigLIP 2's class"),
    max_num_patches: counts("the most patches of an image, of SigLIP 2's class"),
    crop_pct: counts("ConvNeXT's part of each side that its crop keeps"),
    do_rescale: counts('whether levels are multiplied by rescale_factor'),
    rescale_factor: counts('the factor of levels'),
    do_normalize: counts('whether mean and deviation are applied'),
    image_mean: counts('the mean of each channel, or of all'),
    image_std: counts('the deviation of each channel, or of all'),
    do_convert_rgb: nothing(
      'every image is made RGB; what becomes of its alpha, `transformers_version` of config.json tells',
    ),
    do_pad: counts("whether zeros are put around, of DPT's class"),
    size_divisor: counts("what divides each side after zeros were put around, of DPT's class"),
    ensure_multiple_of: counts("what divides each side after the resize, of DPT's class"),
    keep_aspect_ratio: counts("whether both sides change by one ratio, of DPT's class"),
    pad_size: only([null], 'images of a batch all have the size of the input'),
    do_flip_channel_order: only([null, false], 'channels come as red, green, blue'),
    do_reduce_labels: nothing('it is about label maps'),
    ...each(['reduce_labels', 'do_normalize_labels'], nothing('it is about label maps')),
    ...each(
      [
        'data_format',
        'input_data_format',
        'device',
        'return_tensors',
        'disable_grouping',
        'image_seq_length',
      ],
      nothing('it says how Python hands the same numbers over'),
    ),
    auto_map: OWN_CODE,
    ...each(['processor_class', '_processor_class', 'valid_processor_keys', '_valid_processor_keys'], RECORD),
  },
}
