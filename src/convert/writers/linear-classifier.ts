/** Holds no classifier, or one linear layer with a bias. */
import type { VitConfig } from '../../model/vit-config.js'

export function linearClassifier({ classifier }: VitConfig): string | null {
  return classifier === null || (classifier.kind === 'linear' && classifier.bias)
    ? null
    : `classifier: ${classifier.kind}${classifier.bias ? '' : ' without a bias'}, where it has one linear layer with a bias`
}
