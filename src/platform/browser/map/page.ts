/**
 * Brings a map to life, in the page that `plumage map` writes: it is moved and enlarged, shows photos that are pointed at, and lists those within a line that is
 * drawn. It asks nobody for anything, and whatever it writes of others, such as names of files, it writes as text.
 */
import type { MapPageData, MapPagePhoto } from '../../../picture/map/page-data.js'
import { nextTowards, within } from './places.js'
import { View } from './view.js'

const byId = <Kind extends HTMLElement>(id: string): Kind => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no ${id}.`)
  return found as Kind
}

/** A step of the keys enlarges so much. */
const ZOOM_STEP = 1.4
/** So near to a dot it is pointed at, in pixels. */
const REACH = 14
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

class Page {
  readonly #data: MapPageData
  readonly #view: View
  readonly #canvas = byId<HTMLCanvasElement>('map')
  readonly #status = byId('status')
  readonly #preview = byId('preview')
  readonly #picked = byId<HTMLTextAreaElement>('picked')
  readonly #chosen = new Set<number>()
  #paths: readonly string[] = []
  #current = -1
  #isDrawing = false
  #line: [number, number][] = []
  #pointer: { readonly id: number; x: number; y: number; moved: boolean } | null = null

  constructor(data: MapPageData) {
    this.#data = data
    this.#view = new View(this.#canvas, data)
    const canvas = this.#canvas
    canvas.addEventListener('wheel', (event) => this.#wheel(event), { passive: false })
    canvas.addEventListener('pointerdown', (event) => this.#down(event))
    canvas.addEventListener('pointermove', (event) => this.#move(event))
    canvas.addEventListener('pointerup', (event) => this.#up(event))
    canvas.addEventListener('pointercancel', () => this.#drop())
    canvas.addEventListener('pointerleave', () => this.#pointer ?? this.#show(-1))
    canvas.addEventListener('keydown', (event) => this.#key(event))
    byId('lasso').addEventListener('click', () => this.#setDrawing(!this.#isDrawing))
    byId('nearer').addEventListener('click', () => this.#zoom(ZOOM_STEP))
    byId('farther').addEventListener('click', () => this.#zoom(1 / ZOOM_STEP))
    byId('whole').addEventListener('click', () => this.#whole())
    byId('clear').addEventListener('click', () => this.#choose([], true))
    byId('copy').addEventListener('click', () => void this.#copy())
    for (const [group, button] of document.querySelectorAll<HTMLButtonElement>('.group').entries())
      button.addEventListener('click', () => this.#chooseGroup(Number(button.dataset.group ?? group)))
    new ResizeObserver(() => this.#draw()).observe(canvas)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw())
    byId('tools').hidden = false
    this.#choose([], true)
    this.#say('Point at a dot to see its photo. Drag to move the map, turn the wheel to enlarge it.')
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault()
    this.#view.zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY)
    this.#draw()
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return
    this.#canvas.setPointerCapture(event.pointerId)
    this.#pointer = { id: event.pointerId, x: event.offsetX, y: event.offsetY, moved: false }
    if (this.#isLasso(event)) this.#line = [[event.offsetX, event.offsetY]]
  }

  #isLasso(event: PointerEvent): boolean {
    return this.#isDrawing || event.shiftKey
  }

  #move(event: PointerEvent): void {
    const { offsetX: x, offsetY: y } = event
    const pointer = this.#pointer
    if (pointer === null) {
      this.#show(this.#view.nearest(x, y, REACH))
      return
    }
    if (Math.hypot(x - pointer.x, y - pointer.y) > 3) pointer.moved = true
    if (!pointer.moved) return
    if (this.#line.length > 0) this.#line.push([x, y])
    else {
      this.#view.move(x - pointer.x, y - pointer.y)
      pointer.x = x
      pointer.y = y
    }
    this.#draw()
  }

  #up(event: PointerEvent): void {
    const wasMoved = this.#pointer?.moved ?? false
    const line = this.#line
    this.#drop()
    if (wasMoved && line.length > 2) {
      const places = this.#data.photos.map((_, i) => this.#view.place(i))
      this.#choose([...within(line, places)], !event.ctrlKey && !event.metaKey)
    } else if (!wasMoved) {
      const found = this.#view.nearest(event.offsetX, event.offsetY, REACH)
      this.#show(found)
      if (found >= 0) this.#toggle(found)
    }
    this.#draw()
  }

  #drop(): void {
    this.#pointer = null
    this.#line = []
    this.#draw()
  }

  #key(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key]
    if (arrow !== undefined && event.shiftKey) {
      this.#view.move(-60 * arrow[0], -60 * arrow[1])
      this.#draw()
    } else if (arrow !== undefined) this.#step(arrow)
    else if (event.key === '+' || event.key === '=') this.#zoom(ZOOM_STEP)
    else if (event.key === '-') this.#zoom(1 / ZOOM_STEP)
    else if (event.key === '0') this.#whole()
    else if (event.key === 'Escape') this.#choose([], true)
    else if ((event.key === 'Enter' || event.key === ' ') && this.#current >= 0) this.#toggle(this.#current)
    else return
    event.preventDefault()
  }

  #step(direction: readonly [number, number]): void {
    const places = this.#data.photos.map((_, i) => this.#view.place(i))
    const next = nextTowards(places, this.#current, direction)
    this.#view.reveal(next)
    this.#show(next)
  }

  #zoom(factor: number): void {
    this.#view.zoom(factor, this.#canvas.clientWidth / 2, this.#canvas.clientHeight / 2)
    this.#draw()
  }

  #whole(): void {
    this.#view.reset()
    this.#draw()
  }

  #setDrawing(isDrawing: boolean): void {
    this.#isDrawing = isDrawing
    byId('lasso').setAttribute('aria-pressed', String(isDrawing))
    this.#canvas.classList.toggle('drawing', isDrawing)
  }

  #show(photo: number): void {
    if (photo === this.#current) return
    this.#current = photo
    const shown = this.#data.photos[photo]
    this.#preview.hidden = shown === undefined
    if (shown !== undefined) {
      this.#preview.replaceChildren(...previewOf(shown))
      const [x, y] = this.#view.place(photo)
      const { clientWidth: width, clientHeight: height } = this.#canvas
      this.#preview.style.setProperty('left', `${Math.max(4, Math.min(x + 16, width - 220))}px`)
      this.#preview.style.setProperty('top', `${Math.max(4, y > height / 2 ? y - 200 : y + 16)}px`)
      this.#say(`${visible(shown.path)}${this.#groupOf(shown)}`)
    }
    this.#draw()
  }

  #groupOf({ group }: MapPagePhoto): string {
    const found = this.#data.groups[group]
    return found === undefined ? '' : `, in ${visible(found.name)}`
  }

  #toggle(photo: number): void {
    if (!this.#chosen.delete(photo)) this.#chosen.add(photo)
    this.#told()
  }

  #chooseGroup(group: number): void {
    this.#choose(
      [...this.#data.photos.keys()].filter((i) => this.#data.photos[i]?.group === group),
      true,
    )
  }

  #choose(photos: readonly number[], anew: boolean): void {
    if (anew) this.#chosen.clear()
    for (const photo of photos) this.#chosen.add(photo)
    this.#told()
  }

  #told(): void {
    const paths = [...this.#chosen].sort((a, b) => a - b).map((i) => this.#data.photos[i]?.path ?? '')
    this.#paths = paths
    this.#picked.value = paths.map(visible).join('\n')
    byId('chosen').hidden = paths.length === 0
    byId('count').textContent = `${paths.length} ${paths.length === 1 ? 'photo' : 'photos'} chosen`
    this.#say(byId('count').textContent ?? '')
    this.#draw()
  }

  async #copy(): Promise<void> {
    this.#picked.select()
    try {
      await navigator.clipboard.writeText(this.#paths.join('\n'))
      this.#say('Copied.')
    } catch {
      // What is selected can be copied by hand where a page may not.
      this.#say('The paths are selected: copy them with your keys.')
      this.#picked.focus()
    }
  }

  #say(text: string): void {
    this.#status.textContent = text
  }

  #draw(): void {
    this.#view.draw(this.#chosen, this.#current, this.#line)
  }
}

function previewOf(photo: MapPagePhoto): readonly Node[] {
  const name = document.createElement('bdi')
  name.textContent = visible(photo.path)
  if (photo.preview === undefined) return [name]
  const image = document.createElement('img')
  image.src = `data:image/jpeg;base64,${photo.preview}`
  image.alt = ''
  return [image, name]
}

/** Signs that turn text round or are not seen could make one name look like another. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
}

new Page(JSON.parse(byId('data').textContent ?? '') as MapPageData)
