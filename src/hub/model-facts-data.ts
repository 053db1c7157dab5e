/**
 * Holds what is known of models before anybody asks a hub: family, licence, size of the weights. Each row says where
 * that was read. What a repository says of itself when it is asked comes before all of this.
 */

export interface FamilyFacts {
  /** Is matched against the whole name. */
  readonly names: RegExp
  readonly family: string
  /** Is null where nobody names one. */
  readonly licence: string | null
  readonly source: string
}

const COLLECTION = 'https://huggingface.co/collections/facebook/dinov2-6526c98554b3d2576e071ce3'

/** Says what others than timm publish under names that follow from a rule; hugging-face-models.ts lists the rest, one by one. */
const OF_MAKERS: readonly FamilyFacts[] = [
  { names: /^facebook\/dinov2/, family: 'DINOv2', licence: 'apache-2.0', source: COLLECTION },
  {
    names: /^dinov2_vit/,
    family: 'DINOv2',
    licence: 'apache-2.0',
    source: 'dinov2/hub/backbones.py and LICENSE of facebookresearch/dinov2',
  },
  {
    names: /^dino_vit/,
    family: 'DINO',
    licence: 'apache-2.0',
    source: 'hubconf.py and LICENSE of facebookresearch/dino',
  },
]

/** Gives the pretrained configs of timm 1.0.31 in patterns of what follows `timm/`: the first that matches holds. */
const OF_TIMM: readonly (readonly [names: RegExp, family: string, licence: string | null])[] = [
  [/_dinov3_qkvb\.eupe_/, 'EUPE', 'fair-noncommercial-research-license'],
  [/_dinov3/, 'DINOv3', 'dinov3-license'],
  [/_dinov2\./, 'DINOv2', 'apache-2.0'],
  [/\.dino$/, 'DINO', 'apache-2.0'],
  [/\.mae$/, 'MAE', 'cc-by-nc-4.0'],
  [/\.bamboo$/, 'ViT (Bamboo)', null],
  [/^aimv2_/, 'AIMv2', 'apple-ascl'],
  [/\.apple_mclip2_/, 'MobileCLIP 2', 'apple-amlr'],
  [/_clip_\w+\.dfn/, 'CLIP (DFN)', 'apple-ascl'],
  [/_clip_\w+\.metaclip/, 'MetaCLIP', 'cc-by-nc-4.0'],
  [/_clip_\w+\.tinyclip_/, 'TinyCLIP', 'mit'],
  [/^vit_\w+_clip_\w+\.laion400m/, 'CLIP (LAION)', 'mit'],
  [/^vit_\w+_clip_/, 'CLIP', 'apache-2.0'],
  [/_siglip/, 'SigLIP', 'apache-2.0'],
  [/_tipsv2\./, 'TIPSv2', 'apache-2.0'],
  [/_radio_/, 'C-RADIO', 'nvidia-open-model-license'],
  [/_pe_(core|lang|spatial)_/, 'Perception Encoder', 'apache-2.0'],
  [/_lingbot\./, 'LingBot', 'apache-2.0'],
  [/\.naver_/, 'RoPE-ViT', 'apache-2.0'],
  [/_rope_/, 'ViT (RoPE)', 'mit'],
  [/^vit_intern300m_\w+\.ogvl_dist$/, 'InternViT', 'mit'],
  [/^vit_intern300m_/, 'InternViT', 'apache-2.0'],
  [/^eva02_/, 'EVA-02', 'mit'],
  [/^eva_/, 'EVA', 'mit'],
  [/^beit3_/, 'BEiT-3', 'apache-2.0'],
  [/^beit/, 'BEiT', 'apache-2.0'],
  [/^deit/, 'DeiT', 'apache-2.0'],
  [/^flexivit_/, 'FlexiViT', 'apache-2.0'],
  [/\.augreg/, 'ViT (augreg)', 'apache-2.0'],
  [/^(test_vit|vit_|naflexvit_)/, 'ViT', 'apache-2.0'],
]

/** None of these is gated. */
export const FAMILIES: readonly FamilyFacts[] = [
  ...OF_MAKERS,
  ...OF_TIMM.map(([names, family, licence]) => ({
    names: new RegExp(
      `^timm/(?:${names.source.startsWith('^') ? names.source.slice(1) : `.*${names.source}`})`,
    ),
    family,
    licence,
    source: 'timm 1.0.31, the pretrained configs of its models',
  })),
]

/** Says what whoever uses weights owes, in a line. The licence itself is what holds. */
export const OBLIGATIONS: Readonly<Record<string, string>> = {
  'apache-2.0': 'any use; pass on the licence and the notices with copies',
  mit: 'any use; pass on the licence and the copyright line with copies',
  'bsd-3-clause': 'any use; pass on the licence and the copyright line with copies',
  'cc-by-4.0': 'any use; name the authors',
  'cc-by-sa-4.0': 'any use; name the authors, and share changes alike',
  'cc-by-nc-4.0': 'no commercial use; name the authors',
  'cc-by-nc-sa-4.0': 'no commercial use; name the authors, and share changes alike',
  'apple-amlr': 'research alone; pass on the licence with copies',
  'fair-noncommercial-research-license':
    'research alone, without commercial use; pass on the licence with copies',
  'dinov3-license': 'its own terms; pass on the licence with copies of the weights',
}

/** Counts millions of bytes of `model.safetensors`, as the repositories' lists of files at Hugging Face say. */
export const MEGABYTES: Readonly<Record<string, number>> = {
  'timm/vit_small_patch16_dinov3.lvd1689m': 86.4,
  'timm/vit_small_plus_patch16_dinov3.lvd1689m': 115,
  'timm/vit_huge_plus_patch16_dinov3.lvd1689m': 3360,
  'timm/vit_7b_patch16_dinov3.lvd1689m': 26_900,
  'facebook/dinov2-small': 88.2,
  'facebook/dinov2-small-imagenet1k-1-layer': 91.3,
}
