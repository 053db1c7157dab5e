/**
 * Tells what a text that names a model means: the model in the package, Birder's published weights, a repository of Hugging Face (where timm's
 * weights lie as well), one of Meta's files, or none of these. Nothing is looked up on a disk or a server.
 */
import { DEFAULT_MODEL } from './default-model.js'
import { type RepositoryName, repositoryOrNull } from './repository-name.js'
import { findPretrainedOrNull } from './weights.js'

export type ModelName =
  | { readonly kind: 'packaged' }
  | { readonly kind: 'published'; readonly name: string }
  | ({ readonly kind: 'repository' } & RepositoryName)
  | { readonly kind: 'file'; readonly url: string; readonly fileName: string }

/** Libraries look for these in this order. An index names the parts that lie beside it. */
export const USUAL_NAMES = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
] as const

const META = 'https://dl.fbaipublicfiles.com/dinov2'

/** Holds of the names of torch.hub's `facebookresearch/dinov2`, of those without a head. */
const META_NAME = /^dinov2_(vit[sblg]14)(_reg)?$/

/** Gives null for a text that is no name of any of them: a path, an address, or a name that nobody knows. */
export function parseModelName(text: string): ModelName | null {
  if (text === DEFAULT_MODEL.name) return { kind: 'packaged' }
  if (findPretrainedOrNull(text) !== null) return { kind: 'published', name: text }
  const [, trunk, registers] = META_NAME.exec(text) ?? []
  if (trunk !== undefined) {
    const model = `dinov2_${trunk}`
    const fileName = `${model}${registers === undefined ? '' : '_reg4'}_pretrain.pth`
    return { kind: 'file', url: `${META}/${model}/${fileName}`, fileName }
  }
  const repository = repositoryOrNull(text)
  return repository === null ? null : { kind: 'repository', ...repository }
}
