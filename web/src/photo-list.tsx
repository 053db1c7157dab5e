/** Lists the photos, the most alike first where something is looked for, with what was found above them. */
import type { FoundObject } from 'plumage/browser'
import { useMemo } from 'preact/hooks'
import { FailedFiles } from './failed-files.js'
import { goTo } from './go-to.js'
import { Legend } from './legend.js'
import type { Match, Matches } from './matches.js'
import type { PatchPlace, Photo } from './photo.js'
import { type OnLook, PhotoCard } from './photo-card.js'
import { photoOf, type Search } from './search.js'

interface Props {
  readonly photos: readonly Photo[]
  /** Nothing more will be computed. */
  readonly stopped: boolean
  readonly blend: number
  readonly colors: ReadonlyMap<number, Uint8Array>
  /** Says how much of each patch is shown where no place is looked for; null shows colours. */
  readonly shares: ReadonlyMap<number, Float32Array> | null
  /** Is the place whose attention is shown. */
  readonly looking: PatchPlace | null
  /** Is null where attention is not shown. */
  readonly onLook: OnLook | null
  /** Holds what stands out of each photo; it is null where that is not shown. */
  readonly objects: ReadonlyMap<number, FoundObject | null> | null
  readonly matches: Matches | null
  readonly search: Search | null
  nameOf(id: number): string
  onSearch(search: Search | null): void
  /** Shows what of the photo that is looked for is in this one. */
  onCompare(id: number): void
  onRemove(id: number): void
}

export function PhotoList(props: Props) {
  const { photos, stopped, blend, colors, matches, search, nameOf, onSearch, onCompare, onRemove } = props
  const shown = useMemo(() => (matches === null ? null : matchShares(matches)), [matches])
  const bestOf = useMemo(() => new Map(matches?.best.map((match) => [match.photo, match])), [matches])
  const sorted = useMemo(() => sortedBy(photos, matches), [photos, matches])
  const place = search?.kind === 'place' ? search.place : props.looking
  return (
    <>
      <div class="hint">
        {search === null ? (
          props.onLook === null ? (
            'Click any place of a photo to find what is like it in all of them.'
          ) : (
            'Bright is what the model looks at. Point at a place to see what is looked at from there; a click keeps it, another lets it go.'
          )
        ) : (
          <>
            <Found search={matches?.search ?? search} best={matches?.best ?? []} nameOf={nameOf} />
            {matches !== null && matches.maps.size > 0 && <Legend low={matches.low} high={matches.high} />}
            <button
              type="button"
              onClick={() => {
                goTo(photoOf(search))
                onSearch(null)
              }}
            >
              Show all <kbd class="with-mouse">Esc</kbd>
            </button>
          </>
        )}
      </div>
      <ul class="photos" aria-label="Photos">
        {sorted.map((photo) => (
          <PhotoCard
            key={photo.id}
            photo={photo}
            stopped={stopped}
            blend={search === null ? blend : 0}
            colors={(props.shares === null && colors.get(photo.id)) || null}
            shown={(search === null ? props.shares : shown)?.get(photo.id) ?? null}
            object={(search === null ? props.objects?.get(photo.id) : null) ?? null}
            chosen={place?.photo === photo.id ? place : null}
            isSource={search !== null && photoOf(search) === photo.id}
            best={bestOf.get(photo.id)?.place ?? null}
            similarity={bestOf.get(photo.id)?.similarity ?? null}
            similarities={matches?.maps.get(photo.id) ?? null}
            onSearch={onSearch}
            onLook={props.onLook}
            onCompare={search?.kind === 'photo' && photoOf(search) !== photo.id ? onCompare : null}
            onRemove={onRemove}
          />
        ))}
      </ul>
      <FailedFiles photos={photos} onRemove={onRemove} />
    </>
  )
}

/** Puts what was chosen first and the most alike next; failed files, which have nothing to show, are listed elsewhere. */
function sortedBy(photos: readonly Photo[], matches: Matches | null): readonly Photo[] {
  const good = photos.filter(({ problem }) => problem === null)
  if (matches === null) return good
  const rank = new Map(matches.best.map(({ photo }, i) => [photo, i]))
  const first = photoOf(matches.search)
  const rankOf = ({ id }: Photo) => (id === first ? -1 : (rank.get(id) ?? good.length))
  return good.toSorted((a, b) => rankOf(a) - rankOf(b))
}

/** Says for each photo how much of each of its patches is shown, from 0 to 1. */
function matchShares({ maps, low, high }: Matches): ReadonlyMap<number, Float32Array> {
  const share = (value: number) => Math.min(1, Math.max(0, (value - low) / Math.max(1e-6, high - low)))
  return new Map([...maps].map(([id, map]) => [id, map.map(share)]))
}

/** Links to the photos that are most alike. */
function Found(props: {
  readonly search: Search
  readonly best: readonly Match[]
  nameOf(id: number): string
}) {
  const { search, best, nameOf } = props
  const others = best.filter(({ photo }) => photo !== photoOf(search)).slice(0, 4)
  return (
    <span class="found">
      Like {search.kind === 'place' ? 'the marked place of ' : ''}
      <b>{nameOf(photoOf(search))}</b>
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
