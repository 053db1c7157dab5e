/** Is what a report's page reads of its photos, as JSON within the page. Names stand in the page itself. */
import type { PatchGrid } from '../../model/positions.js'
import type { PatchScale } from './patch-index.js'

export interface PagePhoto {
  readonly grid: PatchGrid
  /** Is the part of the photo that the patches cover, as shares of its sides. */
  readonly seen: {
    readonly left: number
    readonly top: number
    readonly width: number
    readonly height: number
  }
  /** uint8 [rows * columns, 4], in base64: red, green, blue and how much of it is shown. */
  readonly colors: string
  /** uint8 [rows * columns], in base64. */
  readonly groups: string
  /** int8 [rows * columns, K], in base64. */
  readonly codes: string
}

export interface PageData extends PatchScale {
  /** Counts for each group the photos that have some of it. */
  readonly groupPhotos: readonly number[]
  readonly photos: readonly PagePhoto[]
}
