/** The page: photos come in by dropping, pasting or choosing; a chosen patch is compared with all patches of all photos. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { View } from './draw-photo.js'
import { droppedFiles } from './dropped-files.js'
import { exampleAddresses } from './examples.js'
import { useMatches } from './matches.js'
import { describePatch, type Level, type PatchPlace, type Photo } from './photo.js'
import { PhotoCard } from './photo-card.js'
import { useColors } from './use-colors.js'
import { type EncoderStatus, usePhotos } from './use-photos.js'

const VIEWS: readonly (readonly [View, string])[] = [
  ['photo', 'Photo'],
  ['both', 'Both'],
  ['map', 'PCA map'],
]

/** Sides of the input in patches. The mini model was trained with 8. */
const DETAILS = [8, 16, 24]
const PATCH_PIXELS = 14

export function App() {
  const [detail, setDetail] = useState(16)
  const [level, setLevel] = useState<Level>('objects')
  const [view, setView] = useState<View>('both')
  const [chosen, setChosen] = useState<PatchPlace | null>(null)
  const [dragging, setDragging] = useState(false)
  const chosenPhoto = useRef<number | null>(null)
  chosenPhoto.current = chosen?.photo ?? null
  const [trouble, setTrouble] = useState<string | null>(null)
  const chooser = useRef<HTMLInputElement>(null)
  const { photos, status, add, remove, clear, retry } = usePhotos(detail * PATCH_PIXELS)
  const colors = useColors(photos, level)
  const matches = useMatches(photos, chosen, level)

  const shown = useMemo(() => {
    if (matches === null) return null
    const { maps, low, high } = matches
    const share = (value: number) => Math.min(1, Math.max(0, (value - low) / Math.max(1e-6, high - low)))
    return new Map([...maps].map(([id, map]) => [id, map.map(share)]))
  }, [matches])
  const bestOf = useMemo(() => new Map(matches?.best.map((match) => [match.photo, match])), [matches])

  const addFiles = useCallback(
    (files: Iterable<File> | null) => {
      const images = [...(files ?? [])].map((file) => ({ name: file.name, file }))
      if (images.length > 0) add(images)
    },
    [add],
  )

  const addDropped = useCallback(
    (data: DataTransfer | null) => {
      setTrouble(null)
      if (data === null) return
      droppedFiles(data).then(addFiles, (error) =>
        setTrouble(`What was dropped could not be read (${error instanceof Error ? error.message : error}).`),
      )
    },
    [addFiles],
  )

  const addExamples = async () => {
    setTrouble(null)
    try {
      const found = await Promise.all(
        exampleAddresses().map(async ([name, address]) => {
          const answer = await fetch(address)
          if (!answer.ok) throw new Error(`${name}: ${answer.status}`)
          return { name, file: await answer.blob() }
        }),
      )
      add(found)
    } catch (error) {
      setTrouble(`The examples could not be fetched (${error instanceof Error ? error.message : error}).`)
    }
  }

  const removePhoto = useCallback(
    (id: number) => {
      setChosen((old) => (old?.photo === id ? null : old))
      // Keys go on where the photo was.
      const card = document.getElementById(`photo-${id}`)
      const next = card?.nextElementSibling ?? card?.previousElementSibling
      const target = next?.querySelector('button') ?? chooser.current
      remove(id)
      target?.focus()
    },
    [remove],
  )

  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setDragging(true)
    }
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setDragging(false)
    }
    const drop = (event: DragEvent) => {
      event.preventDefault()
      setDragging(false)
      addDropped(event.dataTransfer)
    }
    const paste = (event: ClipboardEvent) => addDropped(event.clipboardData)
    const press = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      // The line of results goes away with what has the focus in it.
      if (document.activeElement?.closest('.hint') && chosenPhoto.current !== null) goTo(chosenPhoto.current)
      setChosen(null)
    }
    const abort = new AbortController()
    const { signal } = abort
    addEventListener('dragover', over, { signal })
    addEventListener('dragleave', leave, { signal })
    addEventListener('drop', drop, { signal })
    addEventListener('paste', paste, { signal })
    addEventListener('keydown', press, { signal })
    return () => abort.abort()
  }, [addDropped])

  const nameOf = (id: number) => photos.find((photo) => photo.id === id)?.name ?? ''
  // What was asked last may be under way: what is told belongs to what was found.
  const asked = matches?.chosen ?? null
  const best = matches?.best.find(({ photo }) => photo !== asked?.photo) ?? matches?.best[0]
  const said =
    asked === null || best === undefined
      ? describeState(status, photos)
      : `${nameOf(asked.photo)}, ${describePatch(asked)}, chosen. Most similar: ${nameOf(best.photo)}, ${describePatch(best)}, ${best.similarity.toFixed(2)}.`

  return (
    <>
      <header>
        <div class="title">
          <h1>Plumage</h1>
          <p>See what a vision transformer sees. Your photos stay in this tab.</p>
        </div>
        <Status status={status} photos={photos} onRetry={retry} />
      </header>
      <main>
        <section class="controls" aria-label="Controls">
          <label class="button primary">
            Choose photos
            <input
              ref={chooser}
              type="file"
              accept="image/*"
              multiple
              onChange={({ currentTarget }) => {
                addFiles(currentTarget.files)
                currentTarget.value = ''
              }}
            />
          </label>
          <button type="button" onClick={() => void addExamples()}>
            Add the examples
          </button>
          <fieldset class="choice">
            <legend>Show</legend>
            {VIEWS.map(([value, label]) => (
              <label key={value}>
                <input
                  type="radio"
                  name="view"
                  checked={view === value}
                  onChange={() => {
                    setView(value)
                    // A chosen patch is shown on the photo itself, whatever the view.
                    setChosen(null)
                  }}
                />
                <span>{label}</span>
              </label>
            ))}
          </fieldset>
          <label class="select">
            Patches
            <select
              value={detail}
              onChange={({ currentTarget }) => {
                setChosen(null)
                setDetail(Number(currentTarget.value))
              }}
            >
              {DETAILS.map((side) => (
                <option key={side} value={side}>
                  {side} × {side}
                </option>
              ))}
            </select>
          </label>
          <label class="select">
            Layer
            <select value={level} onChange={({ currentTarget }) => setLevel(currentTarget.value as Level)}>
              <option value="objects">9 of 12: things</option>
              <option value="meaning">last: the whole</option>
            </select>
          </label>
          {photos.length > 0 && (
            <button
              type="button"
              class="quiet"
              onClick={() => {
                setChosen(null)
                clear()
                chooser.current?.focus()
              }}
            >
              Remove all
            </button>
          )}
        </section>
        {trouble !== null && (
          <p class="failed" role="alert">
            {trouble}
          </p>
        )}
        {photos.length === 0 ? (
          <section class="empty">
            <h2>
              <span class="with-mouse">Drop photos anywhere</span>
              <span class="with-finger">Choose some photos</span>
            </h2>
            <p>
              Each gets a map: the colours are three principal components of its patches, fitted to all photos
              together, so the same colour means the same kind of thing. Then click a patch to see what is
              similar in every photo.
            </p>
          </section>
        ) : (
          <>
            <p class="hint">
              {chosen === null ? (
                'Click a patch of any photo to see what is similar in all of them.'
              ) : (
                <>
                  <Found chosen={asked ?? chosen} best={matches?.best ?? []} nameOf={nameOf} />
                  <button
                    type="button"
                    onClick={() => {
                      goTo(chosen.photo)
                      setChosen(null)
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
                  stopped={status.kind === 'failed'}
                  // Where something was chosen, the photo itself is what is looked at.
                  view={shown === null ? view : 'photo'}
                  colors={colors.get(photo.id) ?? null}
                  shown={shown?.get(photo.id) ?? null}
                  chosen={chosen?.photo === photo.id ? chosen : null}
                  best={bestOf.get(photo.id) ?? null}
                  similarity={bestOf.get(photo.id)?.similarity ?? null}
                  similarities={matches?.maps.get(photo.id) ?? null}
                  onChoose={setChosen}
                  onRemove={removePhoto}
                />
              ))}
            </ul>
          </>
        )}
      </main>
      <div class="sound" role="status">
        {said}
      </div>
      {dragging && <div class="dropping">Drop to add</div>}
    </>
  )
}

/** The photos whose best patch is most like the chosen one, as links to them. */
function Found(props: {
  readonly chosen: PatchPlace
  readonly best: readonly (PatchPlace & { readonly similarity: number })[]
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

/** Where keys go on: among the patches of a photo. */
function goTo(photo: number): void {
  const card = document.getElementById(`photo-${photo}`)
  card?.scrollIntoView({ block: 'nearest' })
  card?.querySelector<HTMLElement>('[role=application]')?.focus({ preventScroll: true })
}

/** How many are done and how many cannot be; empty where there are none. */
function describeOutcome(photos: readonly Photo[]): string {
  const done = photos.filter(({ features }) => features !== null).length
  const failed = photos.filter(({ problem }) => problem !== null).length
  return [done > 0 ? `${done} done` : '', failed > 0 ? `${failed} failed` : '']
    .filter((part) => part !== '')
    .join(', ')
}

/** For those who cannot see the line of the status: once when something begins and once when it is done. */
function describeState({ kind, total }: EncoderStatus, photos: readonly Photo[]): string {
  if (kind === 'loading') return 'Loading the model.'
  if (kind === 'failed') return '' // An alert says it.
  if (kind === 'encoding') return total === 1 ? 'Computing.' : 'Computing photos.'
  const outcome = describeOutcome(photos)
  return outcome === '' ? 'Ready.' : `Photos: ${outcome}.`
}

function Status(props: {
  readonly status: EncoderStatus
  readonly photos: readonly Photo[]
  onRetry(): void
}) {
  const { photos, onRetry } = props
  const { kind, text, loaded, done, total, rate } = props.status
  if (kind === 'failed') {
    return (
      <div class="status failed">
        <span role="alert">{text}</span>
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      </div>
    )
  }
  if (kind === 'loading') {
    return (
      <div class="status">
        <span>Loading the model {loaded === null ? '' : `${Math.round(loaded * 100)} %`}</span>
        <progress max={1} {...(loaded === null ? {} : { value: loaded })} aria-label="Model" />
      </div>
    )
  }
  return (
    <div class="status">
      <span class="engine">{text}</span>
      {kind === 'encoding' && <progress max={total} value={done} aria-label="Photos" />}
      <span class="rate">
        {kind === 'encoding' ? `${done} of ${total}` : describeOutcome(photos) || 'Ready'}
        {rate !== null && `, ${rate < 10 ? rate.toFixed(1) : Math.round(rate)} photos/s`}
      </span>
    </div>
  )
}
