/** Pairs a gated repository with the open one of the same weights. Source: timm 1.0.31, models/eva.py. */
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
