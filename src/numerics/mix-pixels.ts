/** Mixes colours into pixels that are there, as bytes of red, green and blue. */

/** @param share is 1 for the colour alone, 0 for what was there */
export function mixColor(data: Uint8Array, at: number, color: readonly number[], share: number): void {
  for (let channel = 0; channel < 3; channel++) {
    const under = data[at + channel]
    data[at + channel] = Math.round(under + (color[channel] - under) * share)
  }
}

/** Says which cell of a grid lies over each pixel, and how cells are drawn. */
export interface CellOverlay {
  /** int32 [height]: a row of the grid, or -1. */
  readonly rows: Int32Array
  /** int32 [width]: a column of the grid, or -1. */
  readonly columns: Int32Array
  /** Counts the columns of the grid. */
  readonly gridColumns: number
  /** uint8 [cells, 3]. */
  readonly colors: Uint8Array
  /** uint8 [cells]: where it is 0 nothing is drawn. */
  readonly mask: Uint8Array | null
  /** Is the share of a cell's colour. */
  readonly opacity: number
  /** So much of the light is left where nothing is drawn. */
  readonly dimmed: number
}

/** Mixes the colour of its cell into each pixel of `data` [height, width, 3], and dims pixels without one. */
export function overlayCells(data: Uint8Array, overlay: CellOverlay): void {
  const { rows, columns, gridColumns, colors, mask, opacity, dimmed } = overlay
  const width = columns.length
  for (let y = 0; y < rows.length; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3
      const cell = rows[y] < 0 || columns[x] < 0 ? -1 : rows[y] * gridColumns + columns[x]
      const isDrawn = cell >= 0 && (mask === null || mask[cell] === 1)
      for (let channel = 0; channel < 3; channel++) {
        const under = data[at + channel]
        const over = isDrawn ? under + (colors[cell * 3 + channel] - under) * opacity : under * dimmed
        data[at + channel] = Math.round(over)
      }
    }
  }
}
