/**
 * Tells what a text that names a model means: the model in the package, Birder's published weights, a repository of Hugging Face (where timm's
 * weights lie as well), one of Meta's files, or none of these. Nothing is looked up on a disk or a server.
 */
import { DEFAULT_MODEL } from './default-model.js'
import { findPretrainedOrNull } from './weights.js'

export type ModelName =
  | { readonly kind: 'packaged' }
  | { readonly kind: 'published'; readonly name: string }
  | { readonly kind: 'repository'; readonly id: string; readonly revision: string }
  | { readonly kind: 'file'; readonly url: string; readonly fileName: string }

export const HUGGING_FACE = 'https://huggingface.co'
/** Libraries look for these in this order. An index names the parts that lie beside it. */
export const USUAL_NAMES = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
] as const

const META = 'https://dl.fbaipublicfiles.com/dinov2'

/** Files of checkpoints end so; what ends so is a path or an address, and no name. */
const ENDING = /\.(safetensors|pt|pth|bin|json)$/i
/** Holds of Hugging Face's ids of repositories, which may name a revision (a branch, a tag or a commit) behind an `@`. */
const REPOSITORY = /^([A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95})(?:@([A-Za-z0-9][\w.-]*))?$/
/** timm writes an id of Hugging Face so where another place would do. */
const TIMM_PREFIX = /^hf[-_]hub:/
/** Holds of the names of torch.hub's `facebookresearch/dinov2`, of those without a head. */
const META_NAME = /^dinov2_(vit[sblg]14)(_reg)?$/
/** Holds of timm's names with the tag of their weights, of the vision transformers among them. */
const TIMM_NAME = /^[a-z0-9]*(vit|deit|eva|beit)[a-z0-9]*_[a-z0-9_]*patch\d+[a-z0-9_]*\.[a-z0-9_]+$/

/** Gives null for a text that is no name of any of them: a path, an address, or a name that nobody knows. */
export function parseModelName(text: string): ModelName | null {
  if (text === DEFAULT_MODEL.name) return { kind: 'packaged' }
  if (findPretrainedOrNull(text) !== null) return { kind: 'published', name: text }
  if (ENDING.test(text)) return null
  const [, trunk, registers] = META_NAME.exec(text) ?? []
  if (trunk !== undefined) {
    const model = `dinov2_${trunk}`
    const fileName = `${model}${registers === undefined ? '' : '_reg4'}_pretrain.pth`
    return { kind: 'file', url: `${META}/${model}/${fileName}`, fileName }
  }
  const id = text.replace(`${HUGGING_FACE}/`, '').replace(TIMM_PREFIX, '')
  if (TIMM_NAME.test(id)) return { kind: 'repository', id: `timm/${id}`, revision: 'main' }
  const [, repository, revision = 'main'] = REPOSITORY.exec(id) ?? []
  return repository === undefined ? null : { kind: 'repository', id: repository, revision }
}
