/**
 * Holds what is known of models before anybody asks a hub: family, licence, whether a repository is gated, size of the weights. Each row says where
 * that was read. What a repository says of itself when it is asked comes before all of this.
 */

export interface FamilyFacts {
  /** Is matched against the whole name. */
  readonly names: RegExp
  readonly family: string
  readonly licence: string
  readonly gated: boolean
  readonly source: string
}

const TIMM = 'timm 1.0.31, pretrained configs in models/vision_transformer.py and models/eva.py'
const CARD = 'the front matter of the model card at Hugging Face'

/** The first row that a name matches holds of it. */
export const FAMILIES: readonly FamilyFacts[] = [
  {
    names: /^facebook\/dinov3-/,
    family: 'DINOv3',
    licence: 'dinov3-license',
    gated: true,
    source: CARD,
  },
  {
    names: /^timm\/vit_\w+_dinov3(_qkvb)?\.(lvd1689m|sat493m)$/,
    family: 'DINOv3',
    licence: 'dinov3-license',
    gated: false,
    source: `${TIMM}; the repositories at Hugging Face`,
  },
  {
    names: /^(facebook\/dinov2|timm\/vit_\w+_dinov2\.|dinov2_vit)/,
    family: 'DINOv2',
    licence: 'apache-2.0',
    gated: false,
    source: TIMM,
  },
  { names: /^timm\/vit_\w+_224\.dino$/, family: 'DINO', licence: 'apache-2.0', gated: false, source: TIMM },
  {
    names: /^timm\/vit_\w+\.augreg_/,
    family: 'ViT (augreg)',
    licence: 'apache-2.0',
    gated: false,
    source: TIMM,
  },
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
  'dinov3-license': 'its own terms; pass on the licence with copies of the weights',
}

/** Pairs a gated repository's end of name with the open one of the same weights. Source: timm 1.0.31, models/eva.py. */
export const OPEN_EQUIVALENTS: Readonly<Record<string, string>> = {
  'facebook/dinov3-vits16-pretrain-lvd1689m': 'timm/vit_small_patch16_dinov3.lvd1689m',
  'facebook/dinov3-vits16plus-pretrain-lvd1689m': 'timm/vit_small_plus_patch16_dinov3.lvd1689m',
  'facebook/dinov3-vitb16-pretrain-lvd1689m': 'timm/vit_base_patch16_dinov3.lvd1689m',
  'facebook/dinov3-vitl16-pretrain-lvd1689m': 'timm/vit_large_patch16_dinov3.lvd1689m',
  'facebook/dinov3-vitl16-pretrain-sat493m': 'timm/vit_large_patch16_dinov3.sat493m',
  'facebook/dinov3-vith16plus-pretrain-lvd1689m': 'timm/vit_huge_plus_patch16_dinov3.lvd1689m',
  'facebook/dinov3-vit7b16-pretrain-lvd1689m': 'timm/vit_7b_patch16_dinov3.lvd1689m',
  'facebook/dinov3-vit7b16-pretrain-sat493m': 'timm/vit_7b_patch16_dinov3.sat493m',
}

/** Counts millions of bytes of `model.safetensors`, as the repositories' lists of files at Hugging Face say. */
export const MEGABYTES: Readonly<Record<string, number>> = {
  'timm/vit_small_patch16_dinov3.lvd1689m': 86.4,
  'timm/vit_small_plus_patch16_dinov3.lvd1689m': 115,
  'timm/vit_huge_plus_patch16_dinov3.lvd1689m': 3360,
  'timm/vit_7b_patch16_dinov3.lvd1689m': 26_900,
}
