/** Draws a photo with what the model sees in it. */
import type { Features } from 'plumage/browser'
import { at } from './at.js'
import type { PatchPlace, Photo } from './photo.js'

export type View = 'photo' | 'both' | 'map'

export interface Layers {
  readonly view: View
  /** [rows * columns * 3]. It is null while there are no colours. */
  readonly colors: Uint8Array | null
  /** [rows * columns]. It says how much of each patch is shown, 0 to 1; it is null where no patch is chosen. */
  readonly shown: Float32Array | null
  readonly chosen: PatchPlace | null
  readonly cursor: PatchPlace | null
  readonly best: PatchPlace | null
}

/** A canvas's longer side has so many pixels at least. */
const LEAST_SIDE = 320

/** Places a patch in the canvas. */
function patchRectangle(
  features: Features,
  { width, height }: { readonly width: number; readonly height: number },
  row: number,
  column: number,
): readonly [left: number, top: number, width: number, height: number] {
  const [imageHeight, imageWidth] = features.imageSize
  const { left, top, right, bottom } = features.patchBox(row, column)
  const x = (place: number) => (place * width) / imageWidth
  const y = (place: number) => (place * height) / imageHeight
  return [x(left), y(top), x(right) - x(left), y(bottom) - y(top)]
}

/** Finds the patch at a place of the canvas; it is null outside of what the model has seen. */
export function patchUnder(
  features: Features,
  size: { readonly width: number; readonly height: number },
  x: number,
  y: number,
): { readonly row: number; readonly column: number } | null {
  const [left, top, width, height] = patchRectangle(features, size, 0, 0)
  const column = Math.floor((x - left) / width)
  const row = Math.floor((y - top) / height)
  const { rows, columns } = features.grid
  return row >= 0 && row < rows && column >= 0 && column < columns ? { row, column } : null
}

export function drawPhoto(canvas: HTMLCanvasElement, photo: Photo, layers: Layers): void {
  const { preview, features } = photo
  if (preview === null || preview.width === 0) return
  // Tiny images are enlarged, or outlines would cover them.
  const scale = Math.max(1, Math.ceil(LEAST_SIDE / Math.max(preview.width, preview.height)))
  const [width, height] = [preview.width * scale, preview.height * scale]
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
  const context = canvas.getContext('2d')
  if (context === null) return
  // Where the photo is transparent, what was drawn before would stay.
  context.clearRect(0, 0, canvas.width, canvas.height)
  context.imageSmoothingEnabled = true
  context.drawImage(preview, 0, 0, width, height)
  if (features === null) return
  const { rows, columns } = features.grid
  const { view, colors, shown } = layers
  if (view !== 'photo' && colors !== null && colors.length === rows * columns * 3) {
    const alpha = view === 'map' ? 255 : 153
    paintPatches(context, features, (i) => [...colors.subarray(3 * i, 3 * i + 3), alpha])
  }
  if (shown !== null && shown.length === rows * columns)
    paintPatches(context, features, (i) => [8, 10, 14, 219 * (1 - at(shown, i))])
  if (layers.best !== null) outline(context, features, layers.best, 2, '#ffd166')
  if (layers.chosen !== null) outline(context, features, layers.chosen, 3, '#ffffff')
  if (layers.cursor !== null && !isSame(layers.cursor, layers.chosen))
    outline(context, features, layers.cursor, 2, '#7cc4ff', [6, 4])
}

function isSame(a: PatchPlace, b: PatchPlace | null): boolean {
  return b !== null && a.photo === b.photo && a.row === b.row && a.column === b.column
}

/** Gives each patch a colour in one go: they are painted as a pixel each and enlarged without smoothing. */
function paintPatches(
  context: CanvasRenderingContext2D,
  features: Features,
  /** Gives red, green, blue and alpha. */
  color: (patch: number) => readonly number[],
): void {
  const { rows, columns } = features.grid
  const pixels = new ImageData(columns, rows)
  for (let patch = 0; patch < rows * columns; patch++) pixels.data.set(color(patch), 4 * patch)
  const small = new OffscreenCanvas(columns, rows)
  small.getContext('2d')?.putImageData(pixels, 0, 0)
  const [x, y, width, height] = patchRectangle(features, context.canvas, 0, 0)
  context.imageSmoothingEnabled = false
  context.drawImage(small, x, y, width * columns, height * rows)
}

/** Draws a line that is seen on light and dark, since it is dark below and light above. */
function outline(
  context: CanvasRenderingContext2D,
  features: Features,
  { row, column }: PatchPlace,
  thickness: number,
  color: string,
  dashes: number[] = [],
): void {
  const [x, y, width, height] = patchRectangle(features, context.canvas, row, column)
  const scale = Math.max(1, context.canvas.width / 320)
  context.setLineDash([])
  context.lineWidth = (thickness + 2) * scale
  context.strokeStyle = '#000000b0'
  context.strokeRect(x, y, width, height)
  context.setLineDash(dashes.map((length) => length * scale))
  context.lineWidth = thickness * scale
  context.strokeStyle = color
  context.strokeRect(x, y, width, height)
  context.setLineDash([])
}
