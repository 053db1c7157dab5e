/** Holds the ways in which an image comes to the size before the crop. */

/** Is in pixels. */
type Size = readonly [height: number, width: number]

/** Says to which size an image goes before the crop. */
export type Resize =
  /** Each side gets its length, whatever becomes of the aspect ratio. */
  | {
      readonly kind: 'squash'
      /** Is what comes out. */
      readonly size: Size
    }
  /** The short side gets this length, the long side follows in proportion and is rounded down. */
  | {
      readonly kind: 'short-side'
      /** Is the short side's length in pixels. */
      readonly side: number
    }
  /** The result is as small as covers the size. */
  | {
      readonly kind: 'cover'
      /** Is what is covered. */
      readonly size: Size
    }
  /** Both sides change by one ratio, so that the longest or the shortest edge fits the size and the other follows, rounded half to even. */
  | {
      readonly kind: 'keep-ratio'
      /** Is what one edge fits. */
      readonly size: Size
      /** Says which edge fits. */
      readonly edge: 'longest' | 'shortest'
    }
  /** The image stays as it is. */
  | { readonly kind: 'none' }
  /** Each side goes to a multiple, then zeros around the normalised pixels bring it to another one (transformers' DPT). */
  | {
      readonly kind: 'multiples'
      /** Is what the sides go to, as near as the multiple lets them; null leaves the image's own. */
      readonly size: Size | null
      /** Divides each side after the resize. */
      readonly multiple: number
      /** Changes both sides by one ratio: the one of the two that changes the image less. */
      readonly keepRatio: boolean
      /** Divides each side after zeros were put around. */
      readonly divisor: number
    }
  /** Each side goes to a multiple of the patch, at least one. */
  | {
      readonly kind: 'patches'
      /**
       * Takes each side to the `nearest` multiple, and an image of more patches than allowed is scaled down; or scales every image, small ones up as well, as far
       * as its patches with both sides rounded `up` are allowed (transformers' SigLIP 2). Default `nearest`.
       */
      readonly rounding?: 'nearest' | 'up'
      /** Is a patch's side in pixels. */
      readonly patchSize: number
      /** Bounds the patches. */
      readonly maxPatches: number
    }
  /** Both sides change by one ratio, then each goes to the nearest multiple of the patch, at least one. */
  | {
      readonly kind: 'scaled'
      /** Says what tells the ratio: the length in pixels that one edge is to have, or the ratio itself. */
      readonly by: Scaling
      /** Is a patch's side in pixels. */
      readonly patchSize: number
      /** Is the most patches that an image may have: one of more is refused. It changes no number. */
      readonly maxPatches: number
    }

/** Says how large an image becomes that keeps its aspect ratio. */
export type Scaling =
  | {
      /** Says which edge gets the length. */
      readonly edge: 'shortest' | 'longest'
      /** Is that length in pixels. */
      readonly side: number
    }
  | {
      /** Multiplies both sides. */
      readonly factor: number
    }

/** Tells resizes after which the image is taken whole, so that each has a size of its own. */
export function hasSizesOfItsOwn({ kind }: Resize): boolean {
  return kind === 'patches' || kind === 'multiples' || kind === 'scaled'
}

/** Only the size is named where the crop keeps all that the resize gives, as for most. */
export function describeSizes(resize: Resize, size: Size): string {
  const crop = size.join('x')
  switch (resize.kind) {
    case 'squash':
    case 'cover':
      return resize.size.join('x') === crop ? crop : `${resize.size.join('x')} crop ${crop}`
    case 'short-side':
      return `${resize.side} crop ${crop}`
    case 'keep-ratio':
      return `${resize.edge} edge ${resize.size.join('x')} crop ${crop}`
    case 'none':
      return `as it is crop ${crop}`
    case 'multiples': {
      const to = resize.size === null ? 'as it is' : resize.size.join('x')
      const kept = resize.keepRatio ? ' kept ratio' : ''
      return `${to} multiples of ${resize.multiple}${kept}${resize.divisor === 1 ? '' : ` padded to ${resize.divisor}`}`
    }
    case 'patches':
      return `patch ${resize.patchSize} max ${resize.maxPatches}${resize.rounding === 'up' ? ' rounded up' : ''}`
    case 'scaled':
      return 'factor' in resize.by
        ? `scaled ${resize.by.factor} patch ${resize.patchSize}`
        : `${resize.by.edge} edge ${resize.by.side} patch ${resize.patchSize}`
  }
}
