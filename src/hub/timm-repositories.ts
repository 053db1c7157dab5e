/**
 * Knows timm's names whose weights lie in no repository of just that name. timm itself fetches those of another repository, and builds the architecture that
 * was asked for, whatever that repository's config.json says.
 */

export interface SharedWeights {
  /** Names the repository that they lie in. */
  readonly id: string
  /** Is timm's own name, without an owner, which says what is built of them. */
  readonly architecture: string
}

/** Lists the sets of weights of networks with quick GELU, by what `hf_hub_id` of the pretrained configs of timm 1.0.31 shares. */
const QUICK_GELU: Readonly<Record<string, readonly string[]>> = {
  vit_base_patch16_clip_quickgelu_224: ['openai', 'metaclip_2pt5b', 'metaclip_400m'],
  vit_base_patch32_clip_quickgelu_224: ['openai', 'laion400m_e32', 'metaclip_2pt5b', 'metaclip_400m'],
  vit_gigantic_patch14_clip_quickgelu_224: ['metaclip_2pt5b'],
  vit_huge_patch14_clip_quickgelu_224: ['dfn5b', 'metaclip_2pt5b', 'metaclip2_worldwide'],
  vit_huge_patch14_clip_quickgelu_378: ['dfn5b'],
  vit_large_patch14_clip_quickgelu_224: ['openai', 'dfn2b', 'metaclip_2pt5b', 'metaclip_400m'],
  vit_large_patch14_clip_quickgelu_336: ['openai'],
}

/** Holds of LingBot-Vision's names, whose repositories have another owner. */
const LINGBOT = /^vit_(small|base|large|giant)_patch16_lingbot\.robbyant$/

/** Gives null where a repository has the name itself, or timm does not know it. */
export function sharedWeightsOrNull(id: string): SharedWeights | null {
  if (!id.startsWith('timm/')) return null
  const architecture = id.slice('timm/'.length)
  if (LINGBOT.test(architecture)) return { id: `belfner/${architecture}`, architecture }
  const [stem = '', tag = ''] = architecture.split('.')
  if (!Object.hasOwn(QUICK_GELU, stem) || !QUICK_GELU[stem]?.includes(tag)) return null
  return { id: id.replace('_quickgelu', ''), architecture }
}
