/**
 * Brings a report to life, in the page that `plumage report` writes: patches get colours, and what is alike to a chosen one is shown in all photos. It asks
 * nobody for anything, and whatever it writes of others, such as names of files, it writes as text.
 */
import { OKABE_ITO } from '../../../picture/okabe-ito.js'
import type { PageData } from '../../../picture/report/page-data.js'
import { similarToCode } from '../../../picture/report/patch-index.js'
import { Card, type Place, type View } from './card.js'
import { shareOf, spreadOf } from './spread-of.js'

const byId = <Kind extends HTMLElement>(id: string): Kind => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no ${id}.`)
  return found as Kind
}

class Page {
  readonly #data: PageData
  readonly #cards: readonly Card[]
  readonly #list = byId('photos')
  readonly #status = byId('status')
  readonly #groups = byId('groups')
  readonly #clear = byId<HTMLButtonElement>('clear')
  readonly #strength = byId<HTMLInputElement>('strength')
  #view: View = 'colors'
  #isSearching = false

  constructor(data: PageData) {
    this.#data = data
    this.#cards = data.photos.map(
      (photo, i) => new Card(byId(`photo-${i}`), photo, i, (place) => this.#find(place)),
    )
    this.#clear.addEventListener('click', () => this.#forget())
    this.#strength.addEventListener('input', () => this.#show())
    for (const input of document.querySelectorAll<HTMLInputElement>('input[name=view]')) {
      input.addEventListener('change', () => {
        this.#view = input.value as View
        this.#forget()
      })
    }
    document.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape' && this.#isSearching) this.#forget()
    })
    byId('tools').hidden = false
    for (const [group, photos] of data.groupPhotos.entries()) this.#groups.append(legendOf(group, photos))
    this.#forget()
  }

  #find(place: Place): void {
    const photo = this.#cards[place.photo]
    if (photo === undefined) return
    const code = photo.codeAt(place)
    const found = this.#cards.map((card) => similarToCode(code, card.codes, this.#data))
    const spread = spreadOf(found)
    this.#isSearching = true
    this.#groups.hidden = true
    const best = this.#cards.map((card, i) => {
      const similarities = found[i] ?? new Float32Array()
      return card.showFound(similarities, (value) => shareOf(value, spread), card === photo ? place : null)
    })
    const rank = (card: Card) => (card === photo ? 2 : (best[card.index]?.similarity ?? -1))
    this.#order((a, b) => rank(b) - rank(a), photo)
    const next = this.#cards.filter((card) => card !== photo).sort((a, b) => rank(b) - rank(a))[0]
    const nearest = next === undefined ? undefined : best[next.index]
    this.#clear.hidden = false
    this.#status.textContent =
      `${photo.describe(place)}, chosen.` +
      (next === undefined || nearest === undefined
        ? ''
        : ` Most alike: ${next.describe(nearest)}, ${nearest.similarity.toFixed(2)}.`)
  }

  #forget(): void {
    this.#isSearching = false
    this.#clear.hidden = true
    this.#status.textContent = 'Choose a place in a photo, and all photos show what is like it.'
    this.#order((a, b) => a.index - b.index, null)
    this.#show()
  }

  #show(): void {
    document.documentElement.style.setProperty(
      '--strength',
      this.#view === 'photo' && !this.#isSearching ? '0' : String(Number(this.#strength.value)),
    )
    this.#groups.hidden = this.#isSearching || this.#view !== 'groups'
    if (!this.#isSearching) for (const card of this.#cards) card.show(this.#view)
  }

  /** The one that keeps the keys' place stays where it is, since moving it would take them from it, and the others are put behind it. */
  #order(compare: (a: Card, b: Card) => number, still: Card | null): void {
    const sorted = this.#cards.toSorted(compare)
    const anchor = still ?? sorted[0]
    for (const card of sorted) if (card !== anchor) this.#list.append(card.element)
    if (still !== null) still.element.scrollIntoView({ block: 'nearest' })
  }
}

function legendOf(group: number, photos: number): HTMLElement {
  const [item, swatch] = [document.createElement('li'), document.createElement('span')]
  swatch.className = 'swatch'
  swatch.style.background = `rgb(${OKABE_ITO[group]?.join(' ') ?? ''})`
  item.append(swatch, `in ${photos} ${photos === 1 ? 'photo' : 'photos'}`)
  return item
}

new Page(JSON.parse(byId('data').textContent ?? '') as PageData)
