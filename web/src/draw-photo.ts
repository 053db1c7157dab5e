/** Draws a photo with what the model sees in it. */
import type { Features } from 'plumage/browser'
import type { PatchPlace, Photo } from './photo.js'

export type View = 'photo' | 'both' | 'map'

export interface Layers {
  readonly view: View
  /** [rows * columns * 3], or null while there is none. */
  readonly colors: Uint8Array | null
  /** How much of each patch is shown, 0 to 1; null where no patch is chosen. */
  readonly shown: Float32Array | null
  readonly chosen: PatchPlace | null
  readonly cursor: PatchPlace | null
  readonly best: PatchPlace | null
}

/** Left, top, width and height of a patch in the canvas. */
export function patchRectangle(
  features: Features,
  { width, height }: { readonly width: number; readonly height: number },
  row: number,
  column: number,
): readonly [number, number, number, number] {
  const [imageHeight, imageWidth] = features.imageSize
  const { left, top, right, bottom } = features.patchBox(row, column)
  const [x0, x1] = [left, right].map((x) => (x * width) / imageWidth)
  const [y0, y1] = [top, bottom].map((y) => (y * height) / imageHeight)
  return [x0, y0, x1 - x0, y1 - y0]
}

/** The patch at a place of the canvas, or null outside of what the model has seen. */
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
  if (canvas.width !== preview.width) canvas.width = preview.width
  if (canvas.height !== preview.height) canvas.height = preview.height
  const context = canvas.getContext('2d')
  if (context === null) return
  context.globalAlpha = 1
  context.drawImage(preview, 0, 0)
  if (features === null) return
  const { rows, columns } = features.grid
  const eachPatch = (paint: (patch: number) => string | null) => {
    for (let patch = 0; patch < rows * columns; patch++) {
      const style = paint(patch)
      if (style === null) continue
      context.fillStyle = style
      const [x, y, width, height] = patchRectangle(
        features,
        canvas,
        Math.floor(patch / columns),
        patch % columns,
      )
      // Neighbours meet on whole pixels, or seams would show.
      const [left, top] = [Math.round(x), Math.round(y)]
      context.fillRect(left, top, Math.round(x + width) - left, Math.round(y + height) - top)
    }
  }
  const { view, colors, shown } = layers
  if (view !== 'photo' && colors !== null && colors.length === rows * columns * 3) {
    const alpha = view === 'map' ? 1 : 0.6
    eachPatch((i) => `rgb(${colors[3 * i]} ${colors[3 * i + 1]} ${colors[3 * i + 2]} / ${alpha})`)
  }
  if (shown !== null && shown.length === rows * columns)
    eachPatch((i) => `rgb(8 10 14 / ${(0.86 * (1 - shown[i])).toFixed(3)})`)
  if (layers.best !== null) outline(context, features, layers.best, 2, '#ffd166')
  if (layers.chosen !== null) outline(context, features, layers.chosen, 3, '#ffffff')
  if (layers.cursor !== null) outline(context, features, layers.cursor, 2, '#7cc4ff', [6, 4])
}

/** A line that is seen on light and dark: dark below, light above. */
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
