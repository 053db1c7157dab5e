/** Says which classifiers a layout holds: none, or linear layers with a bias. */
import type { VitConfig } from '../../model/vit-config.js'

export function linearClassifier({ classifier }: VitConfig): string | null {
  return classifier === null || (classifier.kind === 'linear' && classifier.bias)
    ? null
    : `classifier: ${classifier.kind}${classifier.bias ? '' : ' without a bias'}, where it has one linear layer with a bias`
}

/** Holds none, or the two heads of a distilled DeiT, whose scores are averaged. */
export function distilledClassifier({ classifier }: VitConfig): string | null {
  return classifier === null || (classifier.kind === 'distilled' && classifier.bias)
    ? null
    : `classifier: ${classifier.kind}${classifier.bias ? '' : ' without a bias'}, where it has one for each of two tokens, with biases`
}
