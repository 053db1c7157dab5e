/** The page: photos come in by dropping, pasting or choosing, and what is chosen in one of them is looked for in all. */
import { useCallback, useMemo, useRef, useState } from 'preact/hooks'
import { Controls, type Settings } from './controls.js'
import { EmptyState } from './empty-state.js'
import { MatchView } from './match-view.js'
import { type Matches, useMatches } from './matches.js'
import { describePatch, isSamePlace, type PatchPlace } from './photo.js'
import { PhotoList } from './photo-list.js'
import { photoOf, type Search } from './search.js'
import { attentionShares, objectShares } from './shares.js'
import { describeState, Status } from './status.js'
import { useColors } from './use-colors.js'
import { type Looking, useLooking } from './use-looking.js'
import { useObjects } from './use-objects.js'
import { usePageEvents } from './use-page-events.js'
import { usePhotos } from './use-photos.js'
import { useSources } from './use-sources.js'

/** On a small screen fewer places are each large enough for a finger. */
const START: Settings = {
  view: 'colors',
  head: null,
  blend: 0.75,
  detail: matchMedia('(max-width: 40rem)').matches ? 12 : 16,
}

export function App() {
  const [settings, setSettings] = useState(START)
  const [search, setSearch] = useState<Search | null>(null)
  const [model, setModel] = useState<readonly File[] | null>(null)
  const chooser = useRef<HTMLInputElement>(null)
  const choice = { source: model ?? undefined, detail: settings.detail }
  const [looking, setLooking] = useState<Looking | null>(null)
  const { photos, status, add, remove, clear, retry, lookFrom } = usePhotos(choice)
  const changeModel = (files: readonly File[] | null) => {
    setSearch(null)
    setModel(files)
    // How many places a side a model of the visitor's is best at, it says itself.
    // Its heads are others, or it has none.
    setSettings((old) => ({
      ...old,
      view: 'colors',
      head: null,
      detail: files === null ? START.detail : null,
    }))
  }
  const { trouble, addFiles, addDropped, addExamples } = useSources(add, changeModel)
  const colors = useColors(photos)
  const objects = useObjects(photos, settings.view === 'objects')
  const matches = useMatches(photos, search)
  const [pair, setPair] = useState<readonly [number, number] | null>(null)
  const heads = photos.find(({ features }) => features !== null)?.features?.attention?.[0]?.headCount ?? 0
  const shares = useMemo(
    () =>
      settings.view === 'attention'
        ? attentionShares(photos, settings.head)
        : settings.view === 'objects'
          ? objectShares(objects)
          : null,
    [photos, objects, settings.view, settings.head],
  )
  const isAttention = settings.view === 'attention' && search === null
  const place = isAttention ? (looking?.place ?? null) : null
  const looked = useLooking(photos, place, settings.head, lookFrom)
  const shown = useMemo(
    () => (shares === null || looked === null ? shares : new Map([...shares, ...looked])),
    [shares, looked],
  )
  const look = useCallback((next: PatchPlace | null, keep: boolean) => {
    setLooking((old) => {
      if (next === null) return old?.isKept ? old : null
      // Chosen once more, it is let go.
      if (keep) return old?.isKept && isSamePlace(old.place, next) ? null : { place: next, isKept: true }
      return old?.isKept || (old !== null && isSamePlace(old.place, next))
        ? old
        : { place: next, isKept: false }
    })
  }, [])
  const dragging = usePageEvents({
    chosenPhoto: search === null ? null : photoOf(search),
    onData: addDropped,
    onEscape: () => {
      setSearch(null)
      setLooking(null)
    },
  })

  const changeSettings = (next: Settings) => {
    // In another detail, other places are not the chosen one.
    if (next.detail !== settings.detail) setSearch(null)
    if (next.detail !== settings.detail || next.view !== settings.view) setLooking(null)
    setSettings(next)
  }
  const clearAll = () => {
    setSearch(null)
    clear()
    chooser.current?.focus()
  }
  const removePhoto = useCallback(
    (id: number) => {
      setSearch((old) => (old !== null && photoOf(old) === id ? null : old))
      // Keys go on where the photo was.
      const card = document.getElementById(`photo-${id}`)
      const next = card?.nextElementSibling ?? card?.previousElementSibling
      const target = next?.querySelector<HTMLElement>('button:last-of-type') ?? chooser.current
      remove(id)
      target?.focus()
    },
    [remove],
  )
  const nameOf = (id: number) => photos.find((photo) => photo.id === id)?.name ?? ''

  return (
    <>
      <header>
        <div class="title">
          <h1>Plumage</h1>
          <p>
            Find what is alike in your photos. They stay in this tab.{' '}
            <a href="./collection.html">Search a folder of them</a>
          </p>
        </div>
        <Status
          status={status}
          photos={photos}
          ownModel={model === null ? null : model.map(({ name }) => name).join(', ')}
          onRetry={retry}
          onModel={addFiles}
          onPageModel={() => changeModel(null)}
        />
      </header>
      <main>
        <Controls
          chooser={chooser}
          settings={settings}
          hasPhotos={photos.length > 0}
          heads={heads}
          onFiles={addFiles}
          onExamples={() => void addExamples()}
          onSettings={changeSettings}
          onClear={clearAll}
        />
        {trouble !== null && (
          <p class="failed" role="alert">
            {trouble}
          </p>
        )}
        {photos.length === 0 ? (
          <EmptyState onFiles={addFiles} />
        ) : (
          <PhotoList
            photos={photos}
            stopped={status.kind === 'failed'}
            blend={settings.blend}
            colors={colors}
            shares={shown}
            looking={place}
            onLook={isAttention ? look : null}
            objects={settings.view === 'objects' ? objects : null}
            matches={matches}
            search={search}
            nameOf={nameOf}
            onSearch={setSearch}
            onCompare={(photo) => search !== null && setPair([photoOf(search), photo])}
            onRemove={removePhoto}
          />
        )}
      </main>
      <div class="sound" role="status">
        {describeMatch(matches, nameOf) ?? describeState(status, photos)}
      </div>
      {pair !== null && <MatchView photos={photos} pair={pair} onClose={() => setPair(null)} />}
      {dragging && <div class="dropping">Drop to add</div>}
    </>
  )
}

/** Says what is most alike; gives null where nothing was found. What was asked last may be under way: what is told belongs to what was found. */
function describeMatch(matches: Matches | null, nameOf: (id: number) => string): string | null {
  if (matches === null) return null
  const { search, best } = matches
  const first = best.find(({ photo }) => photo !== photoOf(search)) ?? best[0]
  if (first === undefined) return null
  const where = first.place === null ? '' : `, ${describePatch(first.place)}`
  const chosen = search.kind === 'place' ? `, ${describePatch(search.place)}` : ''
  return (
    `${nameOf(photoOf(search))}${chosen}, chosen. ` +
    `Most alike: ${nameOf(first.photo)}${where}, ${first.similarity.toFixed(2)}.`
  )
}
