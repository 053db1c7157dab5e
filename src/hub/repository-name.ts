/** Tells ids of Hugging Face's repositories from other texts, by their form alone: a page needs no list of names for it. */
import { endsAsFile } from './is-model-name.js'

export const HUGGING_FACE = 'https://huggingface.co'

/** Holds of ids, which may name a revision (a branch, a tag, a commit, or a request such as `refs/pr/3`) behind an `@`. */
const REPOSITORY =
  /^([A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95})(?:@([A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)*))?$/
/** timm writes an id of Hugging Face so where another place would do. */
const TIMM_PREFIX = /^hf[-_]hub:/
/** Holds of timm's names with the tag of their weights, of the vision transformers among them. */
const TIMM_NAME =
  /^(test_vit\d?|((flexi|naflex)?vit|aimv2|deit3?|eva(02)?|beit(v2|3)?)_[a-z0-9_]+)\.[a-z0-9_]+$/
/** timm calls the weights that are pretrained alone by a tag that other libraries end files with. */
const TAGGED_AS_FILE = /^(timm\/)?beit3_(base|large)_patch16_224\.pt$/

export interface RepositoryName {
  readonly id: string
  readonly revision: string
}

/** Names a repository at a revision, and the folder in it that the model lies in. */
export interface RepositoryRevision extends RepositoryName {
  /** Is absent where the model lies at the top. */
  readonly subfolder?: string | undefined
}

/** Gives the address of a file of a repository. A revision is one part of it, whatever slashes it has. */
export function repositoryUrl({ id, revision, subfolder }: RepositoryRevision, name: string): string {
  return `${HUGGING_FACE}/${id}/resolve/${encodeURIComponent(revision)}/${inSubfolder(subfolder, name)}`
}

/** Gives the name that a file of a model has in its repository. */
export function inSubfolder(subfolder: string | undefined, name: string): string {
  return subfolder === undefined ? name : `${subfolder}/${name}`
}

export function repositoryOrNull(text: string): RepositoryName | null {
  const id = text.replace(`${HUGGING_FACE}/`, '').replace(TIMM_PREFIX, '')
  if (endsAsFile(id) && !TAGGED_AS_FILE.test(id)) return null
  if (TIMM_NAME.test(id)) return { id: `timm/${id}`, revision: 'main' }
  const [, repository, revision = 'main'] = REPOSITORY.exec(id) ?? []
  return repository === undefined ? null : { id: repository, revision }
}
