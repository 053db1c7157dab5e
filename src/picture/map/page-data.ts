/** Is what stands in the page of a map, and what the page reads. */
export interface MapPageData {
  readonly photos: readonly MapPagePhoto[]
  readonly groups: readonly { readonly name: string; readonly color: string }[]
  /** Is the colour of photos of no group. */
  readonly noGroup: string
}

export interface MapPagePhoto {
  /** Leads to the file. */
  readonly path: string
  /** Is a place on the map, 0 to 1 across and down. */
  readonly x: number
  readonly y: number
  /** Is -1 for none. */
  readonly group: number
  /** Is a small JPEG in base64, where the page has one. */
  readonly preview?: string
}
