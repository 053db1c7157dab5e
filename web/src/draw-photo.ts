/** Draws a photo with what the model sees in it. */
import type { Box, Features, FoundObject } from 'plumage/browser'
import { at } from './at.js'
import { isSamePlace, type PatchPlace, type Photo } from './photo.js'

export interface Layers {
  /** Says how much of the colours is seen, 0 to 1; at 0 it is the photo as it is. */
  readonly blend: number
  /** [rows * columns * 4]. It is null while there are no colours. */
  readonly colors: Uint8Array | null
  /** [rows * columns]. It says how much of each patch is shown, 0 to 1; it is null where no patch is looked for. */
  readonly shown: Float32Array | null
  /** Stands out of the photo, and has a box around it. */
  readonly object: FoundObject | null
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
  context.drawImage(preview, 0, 0, width, height)
  if (features === null) return
  const { rows, columns } = features.grid
  const { blend, colors, shown } = layers
  if (shown !== null && shown.length === rows * columns)
    paintPatches(context, features, (i) => [8, 10, 14, 222 * (1 - at(shown, i))])
  else if (blend > 0 && colors !== null && colors.length === rows * columns * 4) {
    grey(context, preview, blend)
    paintPatches(context, features, (i) => {
      const [red = 0, green = 0, blue = 0, share = 0] = colors.subarray(4 * i, 4 * i + 4)
      return [red, green, blue, share * blend]
    })
  }
  if (layers.object !== null) outline(context, features, layers.object.box, 3, '#ffd166')
  if (layers.best !== null) outline(context, features, boxOf(layers.best), 2, '#ffd166')
  if (layers.chosen !== null) outline(context, features, boxOf(layers.chosen), 3, '#ffffff')
  if (layers.cursor !== null && (layers.chosen === null || !isSamePlace(layers.cursor, layers.chosen)))
    outline(context, features, boxOf(layers.cursor), 2, '#7cc4ff', [6, 4])
}

function boxOf({ row, column }: PatchPlace): Box {
  return { top: row, left: column, bottom: row + 1, right: column + 1 }
}

/** Takes the photo's own colours away, and some of its light, so that those of the patches are seen. */
function grey(context: CanvasRenderingContext2D, photo: ImageBitmap, share: number): void {
  const { width, height } = context.canvas
  context.save()
  context.globalCompositeOperation = 'saturation'
  context.globalAlpha = share
  context.fillStyle = '#808080'
  context.fillRect(0, 0, width, height)
  // What is transparent in the photo stays so.
  context.globalAlpha = 1
  context.globalCompositeOperation = 'destination-in'
  context.drawImage(photo, 0, 0, width, height)
  context.globalCompositeOperation = 'source-atop'
  context.globalAlpha = 0.45 * share
  context.fillStyle = '#101318'
  context.fillRect(0, 0, width, height)
  context.restore()
}

/** Gives each patch a colour in one go: they are painted as a pixel each and enlarged smoothly. */
function paintPatches(
  context: CanvasRenderingContext2D,
  features: Features,
  /** Gives red, green, blue and alpha. */
  color: (patch: number) => readonly number[],
): void {
  const { rows, columns } = features.grid
  const pixels = new ImageData(columns, rows)
  for (let patch = 0; patch < rows * columns; patch++) pixels.data.set(color(patch), 4 * patch)
  let layer = new OffscreenCanvas(columns, rows)
  layer.getContext('2d')?.putImageData(pixels, 0, 0)
  const [x, y, width, height] = patchRectangle(features, context.canvas, 0, 0)
  // Each doubling rounds the corners that the one before has left.
  while (layer.width < width * columns) layer = doubled(layer)
  context.imageSmoothingEnabled = true
  context.drawImage(layer, x, y, width * columns, height * rows)
}

function doubled(layer: OffscreenCanvas): OffscreenCanvas {
  const larger = new OffscreenCanvas(2 * layer.width, 2 * layer.height)
  const context = larger.getContext('2d')
  if (context === null) throw new Error('This browser gives no canvas to draw on.')
  context.imageSmoothingEnabled = true
  context.drawImage(layer, 0, 0, larger.width, larger.height)
  return larger
}

/** Draws a line that is seen on light and dark, since it is dark below and light above. */
function outline(
  context: CanvasRenderingContext2D,
  features: Features,
  /** In patches. */
  { top, left, bottom, right }: Box,
  thickness: number,
  color: string,
  dashes: number[] = [],
): void {
  const [x, y, one, other] = patchRectangle(features, context.canvas, top, left)
  const [width, height] = [one * (right - left), other * (bottom - top)]
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
