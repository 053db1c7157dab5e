/**
 * Ranks models by how well their patches show what is in a photo, for whoever names none. Self-supervised networks that were trained for dense features come
 * first: on those all of the published pictures were made (Siméoni et al., DINOv3, 2025; Darcet et al., Vision Transformers Need Registers, 2023; Oquab et
 * al., DINOv2, 2023).
 */

/** Names whoever has a better one to offer than the model in the package. */
export const BETTER_FOR_PICTURES = 'facebook/dinov2-with-registers-small'

/** Matches names at Hugging Face, timm's, and files of Meta's, the best first. */
const FAMILIES: readonly RegExp[] = [
  /(^|\/)dinov3-vit\w+-pretrain-|(^|\/)vit_\w+_dinov3(_qkvb)?\.(lvd|sat)|^dinov3_vit\w+_pretrain_/,
  /(^|\/)dinov2-with-registers-[a-z]+$|_reg4_dinov2\.|^dinov2_vit\w+_reg4_pretrain\./,
  /(^|\/)dinov2-[a-z]+$|_patch14_dinov2\.|^dinov2_vit[a-z]\d+_pretrain\./,
]

/** Matches sizes, in the order in which they are taken: what is larger sees more, and the largest take minutes a photo here. */
const SIZES: readonly RegExp[] = [
  /large|vitl\d/,
  /base|vitb\d/,
  /small|vits\d/,
  /giant|huge|vitg\d|vith\d|7b/,
]

/** Gives the names that are known to make good pictures, the best first. */
export function rankedForPictures(names: readonly string[]): readonly string[] {
  const ranked = names.flatMap((name) => {
    const family = FAMILIES.findIndex((pattern) => pattern.test(name))
    const size = SIZES.findIndex((pattern) => pattern.test(name))
    return family < 0 || size < 0 ? [] : [{ name, family, size }]
  })
  return ranked.sort((a, b) => a.family - b.family || a.size - b.size).map(({ name }) => name)
}
