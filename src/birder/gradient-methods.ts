/** Names the tools of Birder's introspection that need gradients, so that whoever looks for one hears why it is not here and what is. */
import { EngineError } from '../engine/engine-error.js'

function refuse(name: string, instead: string): never {
  throw new EngineError(
    'unsupported',
    `${name} follows gradients back through the network, and nothing here computes any: networks are run, and not trained. ${instead}`,
  )
}

const ROLLOUT = "What tokens look at can be had without gradients: an encoder's attention, and its rollout."

/** Birder's GradCAM, which needs gradients: its constructor throws `EngineError` `unsupported`. */
export class GradCAM {
  constructor() {
    refuse('GradCAM', ROLLOUT)
  }
}

/** Birder's GuidedBackprop, which needs gradients: its constructor throws `EngineError` `unsupported`. */
export class GuidedBackprop {
  constructor() {
    refuse('GuidedBackprop', 'Which patches are alike shows without gradients: patchSimilarity.')
  }
}

/** Birder's TransformerAttribution, which needs gradients: its constructor throws `EngineError` `unsupported`. */
export class TransformerAttribution {
  constructor() {
    refuse('TransformerAttribution', ROLLOUT)
  }
}
