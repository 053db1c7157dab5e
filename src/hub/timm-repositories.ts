/**
 * Knows timm's names whose weights lie in no repository of just that name. timm itself fetches those of another repository, and builds the architecture that
 * was asked for, whatever that repository's config.json says.
 */
import { findTimmArchitecture } from '../model/dialects/timm-architectures.js'

export interface SharedWeights {
  /** Names the repository that they lie in. */
  readonly id: string
  /** Is timm's own name, without an owner, which says what is built of them. */
  readonly architecture: string
}

/** Follows `hf_hub_id` of the pretrained configs of timm 1.0.31. */
const SHARED: readonly (readonly [name: RegExp, id: string])[] = [
  [/^timm\/(vit_\w+_clip)_quickgelu(_\d+\.\w+)$/, 'timm/$1$2'],
  [/^timm\/(vit_\w+_lingbot\.robbyant)$/, 'belfner/$1'],
]

/** Gives null where a repository has the name itself, or timm does not know it. */
export function sharedWeightsOrNull(id: string): SharedWeights | null {
  const [pattern, shared] = SHARED.find(([name]) => name.test(id)) ?? []
  if (pattern === undefined || shared === undefined) return null
  const architecture = id.replace('timm/', '')
  const [stem = '', tag = ''] = architecture.split('.')
  if (findTimmArchitecture(stem)?.inputs.has(tag) !== true) return null
  return { id: id.replace(pattern, shared), architecture }
}
