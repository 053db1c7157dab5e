/** Finds what Python's libraries have downloaded already, in the places and by the variables of huggingface_hub and torch.hub. It changes nothing. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isGitHash } from '../../../hub/hash-names.js'
import type { RepositoryName } from '../../../hub/repository-name.js'
import { type Environment, expanded, homeFolder } from './hub-settings.js'

/**
 * Gives the commit that a cache knows a revision by, or null. A snapshot may lack files: only those that were asked for are there.
 *
 * @see huggingface_hub's guide "Understand caching"
 */
export async function cachedCommit(cache: string, { id, revision }: RepositoryName): Promise<string | null> {
  // A branch, a tag or a request (refs/refs/pr/3) is a small file that holds its commit; anything else is a commit by itself.
  const path = join(repositoryFolder(cache, id), 'refs', revision)
  const commit = (await readFile(path, 'utf8').catch(() => revision)).trim()
  return isGitHash(commit) ? commit : null
}

/** Gives the folder in a cache that all of a repository lies in. */
export function repositoryFolder(cache: string, id: string): string {
  return join(cache, `models--${id.replace('/', '--')}`)
}

/** Gives the path that torch.hub keeps a downloaded file at. */
export function torchCachePath(fileName: string, env: Environment): string {
  return join(torchCheckpoints(env), fileName)
}

/** Gives the folder that torch.hub and timm keep files of weights in. */
export function torchCheckpoints(env: Environment): string {
  const home = expanded(env.TORCH_HOME, env) ?? join(systemCache(env), 'torch')
  return join(home, 'hub', 'checkpoints')
}

/** Gives the folder that huggingface_hub keeps its token and its cache in. */
export function huggingFaceHome(env: Environment): string {
  return expanded(env.HF_HOME, env) ?? join(systemCache(env), 'huggingface')
}

/** Gives the folder that huggingface_hub keeps repositories in. */
export function huggingFaceCache(env: Environment): string {
  const named = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE
  return expanded(named, env) ?? join(huggingFaceHome(env), 'hub')
}

/** Both libraries keep to XDG's variable on every system. */
function systemCache(env: Environment): string {
  return expanded(env.XDG_CACHE_HOME, env) ?? join(homeFolder(env), '.cache')
}
