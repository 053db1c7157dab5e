/** A photo with its map. A patch is chosen with the mouse, a finger or the arrow keys. */
import type { PatchGrid } from 'plumage/browser'
import { memo } from 'preact/compat'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { drawPhoto, type Layers, patchUnder } from './draw-photo.js'
import { describePatch, type PatchPlace, type Photo } from './photo.js'

interface Props extends Omit<Layers, 'cursor'> {
  readonly photo: Photo
  /** Nothing more will be computed. */
  readonly stopped: boolean
  /** Of the best match in this photo. */
  readonly similarity: number | null
  /** Of every patch to the chosen one. */
  readonly similarities: Float32Array | null
  onChoose(place: PatchPlace): void
  onRemove(id: number): void
}

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
}

export const PhotoCard = memo(function PhotoCard(props: Props) {
  const { photo, stopped, view, colors, shown, chosen, best, similarity, similarities, onChoose, onRemove } =
    props
  const { id, name, features, preview, problem } = photo
  const canvas = useRef<HTMLCanvasElement>(null)
  const [cursor, setCursor] = useState<PatchPlace | null>(null)
  const [focused, setFocused] = useState(false)

  // Where keys begin: the middle. Another size has fewer or more patches.
  const grid = features?.grid
  const place = useMemo(
    () =>
      grid === undefined
        ? null
        : inside(cursor ?? { photo: id, row: grid.rows >> 1, column: grid.columns >> 1 }, grid),
    [cursor, grid, id],
  )

  useEffect(() => {
    if (canvas.current !== null)
      drawPhoto(canvas.current, photo, { view, colors, shown, chosen, best, cursor: focused ? place : null })
  }, [photo, view, colors, shown, chosen, best, place, focused])

  const point = (event: MouseEvent) => {
    const element = canvas.current
    if (element === null || features === null) return
    const box = element.getBoundingClientRect()
    // The canvas lies in the middle of its box, as large as fits.
    const scale = Math.min(box.width / element.width, box.height / element.height)
    const x = (event.clientX - box.left - (box.width - element.width * scale) / 2) / scale
    const y = (event.clientY - box.top - (box.height - element.height * scale) / 2) / scale
    const patch = patchUnder(features, element, x, y)
    if (patch === null) return
    setCursor({ photo: id, ...patch })
    onChoose({ photo: id, ...patch })
  }

  const press = (event: KeyboardEvent) => {
    if (features === null || place === null) return
    if (event.key === 'Enter' || event.key === ' ') onChoose(place)
    else if (Object.hasOwn(STEPS, event.key)) {
      const [down, right] = STEPS[event.key]
      setCursor(inside({ photo: id, row: place.row + down, column: place.column + right }, features.grid))
    } else return
    event.preventDefault()
  }

  return (
    <li class="card" id={`photo-${id}`} aria-busy={features === null && problem === null && !stopped}>
      <div
        class="picture"
        style={preview && problem === null ? { aspectRatio: ratioOf(preview), minHeight: 0 } : {}}
      >
        {problem === null ? (
          <div
            class="chooser"
            role="application"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: as an application it is operated by keys
            tabIndex={0}
            aria-roledescription="patch chooser"
            aria-label={
              grid
                ? `${name}, ${grid.rows} by ${grid.columns} patches. Arrow keys move, Enter finds what is similar.`
                : `${name}, being computed`
            }
            onClick={point}
            onKeyDown={press}
            onFocus={() => setFocused(true)}
            onBlur={() => setFocused(false)}
          >
            <canvas ref={canvas} />
          </div>
        ) : (
          <p class="problem">{problem}</p>
        )}
        {features === null && problem === null && (
          <span class="working">{stopped ? 'Not computed' : 'Computing'}</span>
        )}
        <span class="sound" aria-live="polite">
          {focused && place !== null && grid ? describeCursor(place, grid, similarities) : ''}
        </span>
      </div>
      <div class="caption">
        <span class="name" title={name}>
          {name}
        </span>
        {similarity !== null && (
          <span class="score" title="Cosine similarity of the patch here that is most like the chosen one">
            {similarity.toFixed(2)}
          </span>
        )}
        <button type="button" class="quiet" aria-label={`Remove ${name}`} onClick={() => onRemove(id)}>
          ×
        </button>
      </div>
    </li>
  )
})

/** Where the keys are, and how alike it is to what was chosen. */
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

/** Of a card: what is much longer than wide, or the other way round, is shown with margins. */
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
