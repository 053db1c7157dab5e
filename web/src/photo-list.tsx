/** Lists the photos, with what was found above them; without photos it says what to do. */
import { useMemo } from 'preact/hooks'
import type { View } from './draw-photo.js'
import { goTo } from './go-to.js'
import type { Match, Matches } from './matches.js'
import { describePatch, type PatchPlace, type Photo } from './photo.js'
import { PhotoCard } from './photo-card.js'

interface Props {
  readonly photos: readonly Photo[]
  /** Nothing more will be computed. */
  readonly stopped: boolean
  readonly view: View
  readonly colors: ReadonlyMap<number, Uint8Array>
  readonly matches: Matches | null
  readonly chosen: PatchPlace | null
  nameOf(id: number): string
  onChoose(place: PatchPlace | null): void
  onRemove(id: number): void
}

export function PhotoList(props: Props) {
  const { photos, stopped, view, colors, matches, chosen, nameOf, onChoose, onRemove } = props
  const shown = useMemo(() => (matches === null ? null : shares(matches)), [matches])
  const bestOf = useMemo(() => new Map(matches?.best.map((match) => [match.photo, match])), [matches])
  if (photos.length === 0) return <Invitation />
  return (
    <>
      <p class="hint">
        {chosen === null ? (
          'Click a patch of any photo to see what is similar in all of them.'
        ) : (
          <>
            <Found chosen={matches?.chosen ?? chosen} best={matches?.best ?? []} nameOf={nameOf} />
            <button
              type="button"
              onClick={() => {
                goTo(chosen.photo)
                onChoose(null)
              }}
            >
              Clear <kbd>Esc</kbd>
            </button>
          </>
        )}
      </p>
      <ul class="photos" aria-label="Photos">
        {photos.map((photo) => (
          <PhotoCard
            key={photo.id}
            photo={photo}
            stopped={stopped}
            // Where something was chosen, the photo itself is what is looked at.
            view={shown === null ? view : 'photo'}
            colors={colors.get(photo.id) ?? null}
            shown={shown?.get(photo.id) ?? null}
            chosen={chosen?.photo === photo.id ? chosen : null}
            best={bestOf.get(photo.id) ?? null}
            similarity={bestOf.get(photo.id)?.similarity ?? null}
            similarities={matches?.maps.get(photo.id) ?? null}
            onChoose={onChoose}
            onRemove={onRemove}
          />
        ))}
      </ul>
    </>
  )
}

/** Says for each photo how much of each of its patches is shown, from 0 to 1. */
function shares({ maps, low, high }: Matches): ReadonlyMap<number, Float32Array> {
  const share = (value: number) => Math.min(1, Math.max(0, (value - low) / Math.max(1e-6, high - low)))
  return new Map([...maps].map(([id, map]) => [id, map.map(share)]))
}

function Invitation() {
  return (
    <section class="empty">
      <h2>
        <span class="with-mouse">Drop photos anywhere</span>
        <span class="with-finger">Choose some photos</span>
      </h2>
      <p>
        Each gets a map: the colours are three principal components of its patches, fitted to all photos
        together, so the same colour means the same kind of thing. Then click a patch to see what is similar
        in every photo.
      </p>
    </section>
  )
}

/** Links to the photos whose best patch is most like the chosen one. */
function Found(props: {
  readonly chosen: PatchPlace
  readonly best: readonly Match[]
  nameOf(id: number): string
}) {
  const { chosen, best, nameOf } = props
  const others = best.filter(({ photo }) => photo !== chosen.photo).slice(0, 4)
  return (
    <span class="found">
      Like {describePatch(chosen)} of <b>{nameOf(chosen.photo)}</b>
      {others.length > 0 && ': '}
      {others.map(({ photo, similarity }, i) => (
        <span key={photo}>
          {i > 0 && ', '}
          <a
            href={`#photo-${photo}`}
            onClick={(event) => {
              event.preventDefault()
              goTo(photo)
            }}
          >
            {nameOf(photo)}
          </a>{' '}
          {similarity.toFixed(2)}
        </span>
      ))}
    </span>
  )
}
