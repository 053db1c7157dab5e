/** Shows a photo with its map. A patch is chosen with the mouse, a finger or the arrow keys. */
import type { PatchGrid } from 'plumage/browser'
import type { RefObject } from 'preact'
import { memo } from 'preact/compat'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { drawPhoto, type Layers, patchUnder } from './draw-photo.js'
import { describePatch, type PatchPlace, type Photo } from './photo.js'
import { savePicture } from './save-picture.js'
import type { Search } from './search.js'

/** Is told which place is pointed at, and whether it stays when the pointer leaves. */
export type OnLook = (place: PatchPlace | null, keep: boolean) => void

interface Props extends Omit<Layers, 'cursor'> {
  readonly photo: Photo
  /** Nothing more will be computed. */
  readonly stopped: boolean
  /** What is looked for is in this photo, or is this photo. */
  readonly isSource: boolean
  /** Is that of the best place in this photo, or of the photo as a whole. */
  readonly similarity: number | null
  /** Holds the similarity of every place to the chosen one. */
  readonly similarities: Float32Array | null
  onSearch(search: Search): void
  /** Is null where a place that is chosen is looked for. */
  readonly onLook: OnLook | null
  /** Is null where there is nothing to compare it with. */
  readonly onCompare: ((id: number) => void) | null
  onRemove(id: number): void
}

const STEPS: ReadonlyMap<string, readonly [down: number, right: number]> = new Map([
  ['ArrowUp', [-1, 0]],
  ['ArrowDown', [1, 0]],
  ['ArrowLeft', [0, -1]],
  ['ArrowRight', [0, 1]],
])

export const PhotoCard = memo(function PhotoCard(props: Props) {
  const { photo, stopped, isSource, similarity, onSearch, onCompare, onRemove } = props
  const { id, name, features } = photo
  const canvas = useRef<HTMLCanvasElement>(null)
  return (
    <li
      class={isSource ? 'card source' : 'card'}
      id={`photo-${id}`}
      aria-busy={features === null && !stopped}
    >
      <Picture {...props} canvas={canvas} />
      <div class="caption">
        <span class="name" title={name}>
          {name}
        </span>
        {similarity !== null && (
          <span class="score" title="How alike: 1 is the same">
            {similarity.toFixed(2)}
          </span>
        )}
        {onCompare !== null && (
          <button
            type="button"
            class="quiet"
            disabled={features === null}
            title="Show which places match"
            aria-label={`Show which places of ${name} match`}
            onClick={() => onCompare(id)}
          >
            <Icon path="M4 6l16 12M4 12h16M4 18L20 6" />
          </button>
        )}
        <button
          type="button"
          class="quiet"
          disabled={features === null}
          title="Find photos like this one"
          aria-label={`Find photos like ${name}`}
          onClick={() => onSearch({ kind: 'photo', photo: id })}
        >
          <Icon path="M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20" />
        </button>
        <button
          type="button"
          class="quiet"
          disabled={features === null}
          title="Save this picture"
          aria-label={`Save the picture of ${name}`}
          onClick={() => canvas.current !== null && void savePicture(canvas.current, name)}
        >
          <Icon path="M12 4v11m0 0l-5-5m5 5l5-5M5 20h14" />
        </button>
        <button
          type="button"
          class="quiet"
          title="Remove"
          aria-label={`Remove ${name}`}
          onClick={() => onRemove(id)}
        >
          <Icon path="M6 6l12 12M18 6L6 18" />
        </button>
      </div>
    </li>
  )
})

function Icon({ path }: { readonly path: string }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path d={path} />
    </svg>
  )
}

function Picture(props: Props & { readonly canvas: RefObject<HTMLCanvasElement | null> }) {
  const {
    photo,
    stopped,
    blend,
    colors,
    shown,
    object,
    chosen,
    best,
    similarities,
    canvas,
    onSearch,
    onLook,
  } = props
  const { name, features, preview } = photo
  const [focused, setFocused] = useState(false)
  const { place, point, hover, press } = usePatchChooser(photo, onSearch, onLook)
  const grid = features?.grid

  useEffect(() => {
    if (canvas.current !== null)
      drawPhoto(canvas.current, photo, {
        blend,
        colors,
        shown,
        object,
        chosen,
        best,
        cursor: focused ? place : null,
      })
  }, [canvas, photo, blend, colors, shown, object, chosen, best, place, focused])

  return (
    <div class="picture" style={preview ? { aspectRatio: ratioOf(preview), minHeight: 0 } : {}}>
      <div
        class="chooser"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: as an application it is operated by keys
        tabIndex={0}
        aria-roledescription="place chooser"
        aria-label={
          grid
            ? `${name}, ${grid.rows} by ${grid.columns} places. ${onLook === null ? 'Arrow keys move, Enter finds what is alike.' : 'Arrow keys show where each place looks.'}`
            : `${name}, being computed`
        }
        onClick={(event) => point(event, canvas.current)}
        onMouseMove={(event) => hover(event, canvas.current)}
        onMouseLeave={() => onLook?.(null, false)}
        onKeyDown={press}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
      >
        <canvas ref={canvas} />
      </div>
      {features === null && <span class="working">{stopped ? 'Not computed' : 'Computing'}</span>}
      <span class="sound" aria-live="polite">
        {focused && place !== null && grid ? describeCursor(place, grid, similarities) : ''}
      </span>
    </div>
  )
}

/** Lets a patch be chosen with a pointer or by keys. `place` is where the keys are; it is null while there are no patches. */
function usePatchChooser({ id, features }: Photo, onSearch: Props['onSearch'], onLook: OnLook | null) {
  const [cursor, setCursor] = useState<PatchPlace | null>(null)
  // Keys begin in the middle. Another size has fewer or more patches.
  const grid = features?.grid
  const place = useMemo(
    () =>
      grid === undefined
        ? null
        : inside(cursor ?? { photo: id, row: grid.rows >> 1, column: grid.columns >> 1 }, grid),
    [cursor, grid, id],
  )

  const placeUnder = (event: MouseEvent, canvas: HTMLCanvasElement | null): PatchPlace | null => {
    if (canvas === null || features === null) return null
    const box = canvas.getBoundingClientRect()
    // The canvas lies in the middle of its box, as large as fits.
    const scale = Math.min(box.width / canvas.width, box.height / canvas.height)
    const x = (event.clientX - box.left - (box.width - canvas.width * scale) / 2) / scale
    const y = (event.clientY - box.top - (box.height - canvas.height * scale) / 2) / scale
    const patch = patchUnder(features, canvas, x, y)
    return patch && { photo: id, ...patch }
  }
  const choose = (chosen: PatchPlace) =>
    onLook === null ? onSearch({ kind: 'place', place: chosen }) : onLook(chosen, true)
  const point = (event: MouseEvent, canvas: HTMLCanvasElement | null) => {
    const under = placeUnder(event, canvas)
    if (under === null) return
    setCursor(under)
    choose(under)
  }
  const hover = (event: MouseEvent, canvas: HTMLCanvasElement | null) => {
    if (onLook !== null) onLook(placeUnder(event, canvas), false)
  }

  const press = (event: KeyboardEvent) => {
    if (features === null || place === null) return
    const step = STEPS.get(event.key)
    if (event.key === 'Enter' || event.key === ' ') choose(place)
    else if (step !== undefined) {
      const [down, right] = step
      const next = inside({ photo: id, row: place.row + down, column: place.column + right }, features.grid)
      setCursor(next)
      onLook?.(next, true)
    } else return
    event.preventDefault()
  }
  return { place, point, hover, press }
}

/** Says where the keys are, and how alike that patch is to what was chosen. */
function describeCursor(
  place: PatchPlace,
  { columns }: PatchGrid,
  similarities: Float32Array | null,
): string {
  const value = similarities?.[place.row * columns + place.column]
  return value === undefined
    ? describePatch(place)
    : `${describePatch(place)}, similarity ${value.toFixed(2)}`
}

/** A photo that is much longer than wide, or the other way round, is shown with margins. */
function ratioOf({ width, height }: ImageBitmap): string {
  return String(Math.min(2.5, Math.max(0.4, width / height)))
}

function inside({ photo, row, column }: PatchPlace, { rows, columns }: PatchGrid): PatchPlace {
  return {
    photo,
    row: Math.min(rows - 1, Math.max(0, row)),
    column: Math.min(columns - 1, Math.max(0, column)),
  }
}
