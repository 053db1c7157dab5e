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
  /** uint8 [rows * columns, 3], in base64. */
  readonly colors: string
  /** int8 [rows * columns, K], in base64. */
  readonly codes: string
}

export interface PageData extends PatchScale {
  readonly photos: readonly PagePhoto[]
}
