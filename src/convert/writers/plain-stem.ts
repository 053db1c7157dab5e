/** Holds one convolution, which has a bias unless a norm follows it. */
import type { VitConfig } from '../../model/vit-config.js'
import { textOf } from '../holdings.js'

export function plainStem({ stem, preNorm }: VitConfig): string | null {
  const held = { kind: 'patchify', bias: !preNorm }
  return textOf(stem) === textOf(held)
    ? null
    : `way from pixels to patches: ${textOf(stem)}, where it has ${textOf(held)}`
}
