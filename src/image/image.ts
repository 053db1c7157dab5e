/** Describes an image as this library computes with it: 8-bit RGB, upright or as stored, row by row from the top left. */

/** Holds 8-bit RGB, row by row from the top left. */
export interface RgbImage {
  /** Counts the rows, in pixels. */
  readonly height: number
  /** Counts the columns, in pixels. */
  readonly width: number
  /** uint8 [height, width, 3]. */
  readonly data: Uint8Array
}

/** Holds a decoded file's pixels, and what was done to get them. */
export interface DecodedImage extends RgbImage {
  /** Names the file's format, such as `jpeg`, or is `raw` for pixels that came without a file. */
  readonly format: string
  /** Says what EXIF orientation was found in the file, 1 to 8; it is 1 where there is none. */
  readonly orientation: number
  /** Tells whether the orientation was applied, so that `height` and `width` are those of the upright image. */
  readonly upright: boolean
  /** Is the one colour that a PNG or GIF declares transparent. Most libraries ignore it; Hugging Face's newer processors paint it white. */
  readonly transparentColour?: readonly [red: number, green: number, blue: number]
}

/** A rectangle in pixels holds `left <= x < right`; its edges are not rounded. */
export interface Box {
  /** Is the upper edge. */
  readonly top: number
  /** Is the left edge. */
  readonly left: number
  /** Is the lower edge. */
  readonly bottom: number
  /** Is the right edge. */
  readonly right: number
}
