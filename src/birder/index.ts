/** Holds Birder's surface but for what reaches files and the network, which `plumage/birder` adds. */

export { listPretrainedModels } from '../hub/weights.js'
export {
  type ClassificationTransform,
  classificationTransform,
  type TransformOptions,
} from './classification-transform.js'
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
  OmissionOptions,
  OmissionResult,
  RetentionOptions,
  RetentionResult,
} from './masked-encoding.js'
export { getIdsKeep, type UniformMaskOptions, uniformMask } from './masking.js'
export { type NdArray, ndArray } from './nd-array.js'
export { BirderNet } from './net.js'
export {
  getChannelsFromSignature,
  getNumLabelsFromSignature,
  getSizeFromSignature,
  type Signature,
} from './signature.js'
