/** Holds Birder's surface but for what reaches files and the network, which `plumage/birder` adds. */

export { listPretrainedModels } from '../hub/weights.js'
export {
  type ClassificationTransform,
  classificationTransform,
  type TransformOptions,
} from './classification-transform.js'
export {
  type FeatureMatch,
  type FeatureMatchingOptions,
  type FeatureMatchingResult,
  featureMatching,
  type MatchedPatch,
} from './feature-matching.js'
export { GradCAM, GuidedBackprop, TransformerAttribution } from './gradient-methods.js'
export {
  type InferOptions,
  type InferOptionsWithEmbedding,
  type InferResult,
  type InferResultWithEmbedding,
  inferBatch,
  probabilities,
} from './infer-image.js'
export type {
  AttentionOptions,
  ForwardWithAttention,
  ForwardWithRouting,
  RoutedLayer,
} from './inside-network.js'
export {
  AttentionRollout,
  type AttentionRolloutOptions,
} from './introspection/attention-rollout.js'
export { FeaturePCA, type FeaturePCAOptions } from './introspection/feature-pca.js'
export type { InterpretabilityResult } from './introspection/interpretability-result.js'
export { type MoELayerRouting, MoERouting, type MoERoutingResult } from './introspection/moe-routing.js'
export { showMaskOnImage } from './introspection/show-mask-on-image.js'
export type {
  OmissionOptions,
  OmissionResult,
  RetentionOptions,
  RetentionResult,
} from './masked-encoding.js'
export { getIdsKeep, type UniformMaskOptions, uniformMask } from './masking.js'
export { type NdArray, ndArray } from './nd-array.js'
export { BirderNet, type HeadOnNet } from './net.js'
export {
  getChannelsFromSignature,
  getNumLabelsFromSignature,
  getSizeFromSignature,
  type Signature,
} from './signature.js'
