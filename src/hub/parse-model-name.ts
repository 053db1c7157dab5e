/**
 * Tells what a text that names a model means: the model in the package, Birder's published weights, a repository of Hugging Face (where timm's
 * weights lie as well), one of Meta's files, a name of another library, or none of these. Nothing is looked up on a disk or a server.
 */
import { DEFAULT_MODEL } from './default-model.js'
import { elsewhereOrNull } from './name-elsewhere.js'
import { type RepositoryName, repositoryOrNull } from './repository-name.js'
import { type SharedWeights, sharedWeightsOrNull } from './timm-repositories.js'
import { type TorchHubModel, torchHubModelOrNull } from './torch-hub.js'
import { findPretrainedOrNull } from './weights.js'

export type ModelName =
  | { readonly kind: 'packaged' }
  | { readonly kind: 'published'; readonly name: string }
  | ({ readonly kind: 'repository' } & RepositoryName & Partial<Pick<SharedWeights, 'architecture'>>)
  | ({ readonly kind: 'file' } & TorchHubModel)
  /** Is a name of another library; the advice says in whole sentences where its weights lie. */
  | { readonly kind: 'elsewhere'; readonly advice: string }

/** Libraries look for these in this order. An index names the parts that lie beside it. */
export const USUAL_NAMES = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
] as const

/** Gives null for a text that is no name of any of them: a path, an address, or a name that nobody knows. */
export function parseModelName(text: string): ModelName | null {
  if (text === DEFAULT_MODEL.name) return { kind: 'packaged' }
  if (findPretrainedOrNull(text) !== null) return { kind: 'published', name: text }
  const file = torchHubModelOrNull(text)
  if (file !== null) return { kind: 'file', ...file }
  const advice = elsewhereOrNull(text)
  if (advice !== null) return { kind: 'elsewhere', advice }
  const repository = repositoryOrNull(text)
  return repository === null
    ? null
    : { kind: 'repository', ...repository, ...sharedWeightsOrNull(repository.id) }
}
