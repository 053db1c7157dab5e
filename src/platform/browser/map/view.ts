/** Draws a map on a canvas, as far as it is moved and enlarged. */
import type { MapPageData } from '../../../picture/map/page-data.js'
import type { MapPlace } from './places.js'

/** The map is enlarged and reduced so far. */
const MOST_ZOOM = 400
const LEAST_ZOOM = 0.5
/** Lies around the map, in pixels. */
const MARGIN = 28
/** Dots of a map that is seen as a whole are this large. */
const RADIUS = { least: 1.6, most: 7 }

export class View {
  readonly #canvas: HTMLCanvasElement
  readonly #data: MapPageData
  #zoom = 1
  #x = 0
  #y = 0

  constructor(canvas: HTMLCanvasElement, data: MapPageData) {
    this.#canvas = canvas
    this.#data = data
  }

  /** Gives where a photo is now, in pixels of the page from the canvas's corner. */
  place(photo: number): MapPlace {
    const { x = 0, y = 0 } = this.#data.photos[photo] ?? {}
    const { clientWidth: width, clientHeight: height } = this.#canvas
    const side = Math.max(1, Math.min(width, height) - 2 * MARGIN)
    return [
      (width - side) / 2 + side * x * this.#zoom + this.#x,
      (height - side) / 2 + side * y * this.#zoom + this.#y,
    ]
  }

  /** Gives the nearest photo within reach, or -1. */
  nearest(x: number, y: number, reach: number): number {
    let found = -1
    let least = reach
    for (const photo of this.#data.photos.keys()) {
      const [left, top] = this.place(photo)
      const distance = Math.hypot(left - x, top - y)
      if (distance >= least) continue
      least = distance
      found = photo
    }
    return found
  }

  move(across: number, down: number): void {
    this.#x += across
    this.#y += down
  }

  /** Enlarges about a place, which stays where it is. */
  zoom(factor: number, x: number, y: number): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas
    const side = Math.max(1, Math.min(width, height) - 2 * MARGIN)
    const zoom = Math.max(LEAST_ZOOM, Math.min(MOST_ZOOM, this.#zoom * factor))
    const by = zoom / this.#zoom
    const [left, top] = [(width - side) / 2, (height - side) / 2]
    this.#x = x - left - (x - left - this.#x) * by
    this.#y = y - top - (y - top - this.#y) * by
    this.#zoom = zoom
  }

  reset(): void {
    this.#zoom = 1
    this.#x = 0
    this.#y = 0
  }

  /** Moves the map so far that a photo is seen. */
  reveal(photo: number): void {
    const [x, y] = this.place(photo)
    const { clientWidth: width, clientHeight: height } = this.#canvas
    this.move(
      Math.max(MARGIN - x, Math.min(0, width - MARGIN - x)),
      Math.max(MARGIN - y, Math.min(0, height - MARGIN - y)),
    )
  }

  draw(chosen: ReadonlySet<number>, current: number, line: readonly MapPlace[]): void {
    const canvas = this.#canvas
    const { clientWidth: width, clientHeight: height } = canvas
    const density = devicePixelRatio
    canvas.width = Math.round(width * density)
    canvas.height = Math.round(height * density)
    const context = canvas.getContext('2d')
    if (context === null) return
    context.scale(density, density)
    const style = getComputedStyle(canvas)
    const [ink, accent] = [style.color, style.getPropertyValue('--accent')]
    const radius = this.#radius(Math.min(width, height))
    const hasChosen = chosen.size > 0
    for (const [photo, { group }] of this.#data.photos.entries()) {
      const [x, y] = this.place(photo)
      if (x < -radius || y < -radius || x > width + radius || y > height + radius) continue
      context.globalAlpha = hasChosen && !chosen.has(photo) ? 0.25 : 0.9
      context.fillStyle = this.#data.groups[group]?.color ?? this.#data.noGroup
      context.beginPath()
      context.arc(x, y, radius, 0, 2 * Math.PI)
      context.fill()
    }
    context.globalAlpha = 1
    if (current >= 0) {
      const [x, y] = this.place(current)
      context.strokeStyle = ink
      context.lineWidth = 2.5
      context.beginPath()
      context.arc(x, y, radius + 4, 0, 2 * Math.PI)
      context.stroke()
    }
    if (line.length < 2) return
    context.strokeStyle = accent
    context.lineWidth = 2
    context.setLineDash([6, 4])
    context.beginPath()
    for (const [x, y] of line) context.lineTo(x, y)
    context.closePath()
    context.stroke()
  }

  /** Dots grow a little with the map, so that they part. */
  #radius(side: number): number {
    const alone = (0.3 * side) / Math.sqrt(Math.max(1, this.#data.photos.length))
    return Math.max(RADIUS.least, Math.min(RADIUS.most, alone)) * this.#zoom ** 0.25
  }
}
