/** Names those of Birder's tools that are not here, so that whoever looks for them is told why and what there is instead. */
import { EngineError } from '../../engine/engine-error.js'

function refuse(name: string, instead: string): never {
  throw new EngineError(
    'unsupported',
    `${name} needs gradients, and networks here are computed forwards only. ${instead}`,
  )
}

/** Is Birder's GradCAM, which is refused. */
export class GradCAM {
  /** Throws `EngineError` `unsupported`: the method weighs activations by gradients. */
  constructor(..._arguments: readonly unknown[]) {
    refuse('GradCAM', 'AttentionRollout shows which patches count, FeaturePCA how they differ.')
  }
}

/** Is Birder's GuidedBackprop, which is refused. */
export class GuidedBackprop {
  /** Throws `EngineError` `unsupported`: the method is the gradient of the pixels. */
  constructor(..._arguments: readonly unknown[]) {
    refuse('GuidedBackprop', 'AttentionRollout shows which patches count.')
  }
}

/** Is Birder's TransformerAttribution, which is refused. */
export class TransformerAttribution {
  /** Throws `EngineError` `unsupported`: the method weighs attention by gradients. */
  constructor(..._arguments: readonly unknown[]) {
    refuse('TransformerAttribution', 'AttentionRollout follows the same attention without a class.')
  }
}
