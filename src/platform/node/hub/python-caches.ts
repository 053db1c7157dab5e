/** Finds what Python's libraries have downloaded already, in the places and by the variables of huggingface_hub and torch.hub. It changes nothing. */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from './hub-settings.js'

/**
 * Gives the folder of a repository's files at a revision, or null where huggingface_hub has not fetched it. A snapshot may lack files: only those
 * that were asked for are there.
 *
 * @see huggingface_hub's guide "Understand caching"
 */
export async function cachedSnapshot(
  { id, revision }: { readonly id: string; readonly revision: string },
  env: Environment,
): Promise<string | null> {
  const folder = join(huggingFaceCache(env), `models--${id.replace('/', '--')}`)
  // A branch or tag is a small file that holds its commit; anything else is a commit by itself.
  const commit = await readFile(join(folder, 'refs', revision), 'utf8').catch(() => revision)
  return /^[0-9a-f]{40}$/.test(commit.trim()) ? join(folder, 'snapshots', commit.trim()) : null
}

/** Gives the path that torch.hub keeps a downloaded file at. */
export function torchCachePath(fileName: string, env: Environment): string {
  const home = env.TORCH_HOME || join(systemCache(env), 'torch')
  return join(home, 'hub', 'checkpoints', fileName)
}

function huggingFaceCache(env: Environment): string {
  const home = env.HF_HOME || join(systemCache(env), 'huggingface')
  return env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, 'hub')
}

/** Both libraries keep to XDG's variable on every system. */
function systemCache(env: Environment): string {
  return env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache')
}
