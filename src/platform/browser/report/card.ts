/** Is one photo of a report: its patches lie over it as a small picture that the browser enlarges, and one of them is chosen by pointer or by keys. */
import { OKABE_ITO } from '../../../picture/okabe-ito.js'
import type { PagePhoto } from '../../../picture/report/page-data.js'

export interface Place {
  /** Counts the photos before it. */
  readonly photo: number
  readonly row: number
  readonly column: number
}

/** Is what photos show while nothing is looked for. */
export type View = 'colors' | 'groups' | 'photo'

export interface Best extends Place {
  readonly similarity: number
}

const STEPS: Readonly<Record<string, readonly [down: number, right: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
}
/** What is unlike is dimmed by this. */
const DARK = [8, 10, 14]

export class Card {
  readonly element: HTMLElement
  readonly index: number
  /** int8 [rows * columns, K] */
  readonly codes: Int8Array
  readonly #photo: PagePhoto
  readonly #colors: Uint8Array
  readonly #groups: Uint8Array
  readonly #name: string
  readonly #seen = made('div', 'seen')
  readonly #layer = document.createElement('canvas')
  readonly #chosen = made('div', 'mark chosen')
  readonly #best = made('div', 'mark best')
  readonly #cursor = made('div', 'mark cursor')
  readonly #spoken = made('span', 'sound')
  readonly #score: HTMLElement
  #place: Place
  #similarities: Float32Array | null = null

  constructor(element: HTMLElement, photo: PagePhoto, index: number, onChoose: (place: Place) => void) {
    this.element = element
    this.index = index
    this.#photo = photo
    this.codes = new Int8Array(bytesOf(photo.codes).buffer)
    this.#colors = bytesOf(photo.colors)
    this.#groups = bytesOf(photo.groups)
    this.#name = element.querySelector('.name')?.textContent ?? ''
    const { rows, columns } = photo.grid
    // Keys begin in the middle.
    this.#place = { photo: index, row: rows >> 1, column: columns >> 1 }
    const frame = element.querySelector<HTMLElement>('.frame')
    const score = element.querySelector<HTMLElement>('.score')
    if (frame === null || score === null) throw new Error('A card has no frame or no score.')
    this.#score = score
    this.#layOut(frame)
    this.#listen(frame, onChoose)
  }

  codeAt({ row, column }: Place): Int8Array {
    const count = this.codes.length / (this.#photo.grid.rows * this.#photo.grid.columns)
    const patch = row * this.#photo.grid.columns + column
    return this.codes.subarray(patch * count, (patch + 1) * count)
  }

  show(view: View): void {
    this.#similarities = null
    this.element.classList.remove('finding', 'source')
    this.#score.textContent = ''
    for (const mark of [this.#chosen, this.#best]) mark.hidden = true
    this.#layer.hidden = view === 'photo'
    // Between groups there is nothing: a colour that lies between two would be that of a third.
    this.#layer.classList.toggle('sharp', view === 'groups')
    if (view === 'colors') this.#paint((patch) => [...this.#colors.subarray(4 * patch, 4 * patch + 4)])
    if (view === 'groups') this.#paint((patch) => [...(OKABE_ITO[this.#groups[patch] ?? 0] ?? []), 255])
  }

  /** Shows what was found here, and gives the best place but for the chosen one itself. */
  showFound(
    similarities: Float32Array,
    shareOf: (similarity: number) => number,
    chosen: Place | null,
  ): Best | undefined {
    const { columns } = this.#photo.grid
    this.#similarities = similarities
    this.#layer.hidden = false
    this.#paint((patch) => [...DARK, 222 * (1 - shareOf(similarities[patch] ?? 0))])
    const self = chosen === null ? -1 : chosen.row * columns + chosen.column
    let best: Best | undefined
    for (const [patch, similarity] of similarities.entries()) {
      if (patch === self || (best !== undefined && similarity <= best.similarity)) continue
      best = { photo: this.index, row: Math.floor(patch / columns), column: patch % columns, similarity }
    }
    this.element.classList.add('finding')
    this.element.classList.toggle('source', chosen !== null)
    this.#mark(this.#chosen, chosen)
    this.#mark(this.#best, best ?? null)
    this.#score.textContent = best === undefined ? '' : best.similarity.toFixed(2)
    return best
  }

  describe({ row, column }: Place): string {
    return `${this.#name}, row ${row + 1}, column ${column + 1}`
  }

  #layOut(frame: HTMLElement): void {
    const { grid, seen } = this.#photo
    place(this.#seen, seen)
    this.#layer.width = grid.columns
    this.#layer.height = grid.rows
    this.#seen.append(this.#layer, this.#best, this.#chosen, this.#cursor)
    this.#spoken.setAttribute('aria-live', 'polite')
    frame.append(this.#seen)
    frame.after(this.#spoken)
    frame.tabIndex = 0
    frame.setAttribute('role', 'application')
    frame.setAttribute('aria-roledescription', 'place chooser')
    frame.setAttribute(
      'aria-label',
      `${this.#name}, ${grid.rows} by ${grid.columns} places. Arrow keys move, Enter finds what is alike.`,
    )
    this.#cursor.hidden = true
  }

  #listen(frame: HTMLElement, onChoose: (place: Place) => void): void {
    const { rows, columns } = this.#photo.grid
    frame.addEventListener('click', ({ clientX, clientY }) => {
      const box = this.#seen.getBoundingClientRect()
      const row = Math.floor(((clientY - box.top) / box.height) * rows)
      const column = Math.floor(((clientX - box.left) / box.width) * columns)
      if (row < 0 || row >= rows || column < 0 || column >= columns) return
      this.#place = { photo: this.index, row, column }
      onChoose(this.#place)
    })
    frame.addEventListener('keydown', (event) => {
      const step = STEPS[event.key]
      if (event.key === 'Enter' || event.key === ' ') onChoose(this.#place)
      else if (step !== undefined) this.#move(step)
      else return
      event.preventDefault()
    })
    frame.addEventListener(
      'focus',
      () => frame.matches(':focus-visible') && this.#mark(this.#cursor, this.#place),
    )
    frame.addEventListener('blur', () => this.#mark(this.#cursor, null))
  }

  #move([down, right]: readonly [number, number]): void {
    const { rows, columns } = this.#photo.grid
    const within = (value: number, count: number) => Math.min(count - 1, Math.max(0, value))
    const { row, column } = this.#place
    this.#place = {
      photo: this.index,
      row: within(row + down, rows),
      column: within(column + right, columns),
    }
    this.#mark(this.#cursor, this.#place)
    const value = this.#similarities?.[this.#place.row * columns + this.#place.column]
    const where = `row ${this.#place.row + 1}, column ${this.#place.column + 1}`
    this.#spoken.textContent = value === undefined ? where : `${where}, similarity ${value.toFixed(2)}`
  }

  #mark(mark: HTMLElement, at: Place | null): void {
    mark.hidden = at === null
    if (at === null) return
    const { rows, columns } = this.#photo.grid
    place(mark, { left: at.column / columns, top: at.row / rows, width: 1 / columns, height: 1 / rows })
  }

  /** Gives each patch a pixel: red, green, blue and how much of it is seen, 0 to 255. */
  #paint(colorOf: (patch: number) => readonly number[]): void {
    const { rows, columns } = this.#photo.grid
    const pixels = new ImageData(columns, rows)
    for (let patch = 0; patch < rows * columns; patch++) pixels.data.set(colorOf(patch), 4 * patch)
    this.#layer.getContext('2d')?.putImageData(pixels, 0, 0)
  }
}

function made(kind: string, name: string): HTMLElement {
  const element = document.createElement(kind)
  element.className = name
  return element
}

function place(element: HTMLElement, part: PagePhoto['seen']): void {
  for (const side of ['left', 'top', 'width', 'height'] as const) element.style[side] = `${100 * part[side]}%`
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
}
