/** The page: photos come in by dropping, pasting or choosing, and a chosen patch is compared with all patches of all photos. */
import { useCallback, useRef, useState } from 'preact/hooks'
import { Controls, type Settings } from './controls.js'
import { droppedFiles } from './dropped-files.js'
import { fetchExamples } from './examples.js'
import { type Matches, useMatches } from './matches.js'
import { messageOf } from './message-of.js'
import { describePatch, type PatchPlace } from './photo.js'
import { PhotoList } from './photo-list.js'
import { describeState, Status } from './status.js'
import { useColors } from './use-colors.js'
import { usePageEvents } from './use-page-events.js'
import { type NamedFile, usePhotos } from './use-photos.js'

const PATCH_PIXELS = 14

export function App() {
  const [settings, setSettings] = useState<Settings>({ view: 'both', detail: 16, level: 'objects' })
  const [chosen, setChosen] = useState<PatchPlace | null>(null)
  const chooser = useRef<HTMLInputElement>(null)
  const { photos, status, add, remove, clear, retry } = usePhotos(settings.detail * PATCH_PIXELS)
  const { trouble, addFiles, addDropped, addExamples } = useSources(add)
  const colors = useColors(photos, settings.level)
  const matches = useMatches(photos, chosen, settings.level)
  const dragging = usePageEvents({
    chosenPhoto: chosen?.photo ?? null,
    onData: addDropped,
    onEscape: () => setChosen(null),
  })

  const changeSettings = (next: Settings) => {
    // A chosen patch is shown on the photo itself, whatever the view, and other patches are not the chosen one. Every layer has it.
    if (next.level === settings.level) setChosen(null)
    setSettings(next)
  }
  const clearAll = () => {
    setChosen(null)
    clear()
    chooser.current?.focus()
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
  const nameOf = (id: number) => photos.find((photo) => photo.id === id)?.name ?? ''

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
        <Controls
          chooser={chooser}
          settings={settings}
          hasPhotos={photos.length > 0}
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
        <PhotoList
          photos={photos}
          stopped={status.kind === 'failed'}
          view={settings.view}
          colors={colors}
          matches={matches}
          chosen={chosen}
          nameOf={nameOf}
          onChoose={setChosen}
          onRemove={removePhoto}
        />
      </main>
      <div class="sound" role="status">
        {describeMatch(matches, nameOf) ?? describeState(status, photos)}
      </div>
      {dragging && <div class="dropping">Drop to add</div>}
    </>
  )
}

/** Says what is most like the chosen patch; gives null where nothing was found. What was asked last may be under way: what is told belongs to what was found. */
function describeMatch(matches: Matches | null, nameOf: (id: number) => string): string | null {
  if (matches === null) return null
  const { chosen, best } = matches
  const first = best.find(({ photo }) => photo !== chosen.photo) ?? best[0]
  if (first === undefined) return null
  return (
    `${nameOf(chosen.photo)}, ${describePatch(chosen)}, chosen. ` +
    `Most similar: ${nameOf(first.photo)}, ${describePatch(first)}, ${first.similarity.toFixed(2)}.`
  )
}

/** Brings photos in from files, from what was dropped or pasted, and from the examples. `trouble` says why that failed. */
function useSources(add: (files: readonly NamedFile[]) => void) {
  const [trouble, setTrouble] = useState<string | null>(null)
  const addFiles = (files: Iterable<File> | null) => {
    const images = [...(files ?? [])].map((file) => ({ name: file.name, file }))
    if (images.length > 0) add(images)
  }
  const addDropped = (data: DataTransfer | null) => {
    setTrouble(null)
    if (data === null) return
    droppedFiles(data).then(addFiles, (error) =>
      setTrouble(`What was dropped could not be read (${messageOf(error)}).`),
    )
  }
  const addExamples = async () => {
    setTrouble(null)
    try {
      add(await fetchExamples())
    } catch (error) {
      setTrouble(`The examples could not be fetched (${messageOf(error)}).`)
    }
  }
  return { trouble, addFiles, addDropped, addExamples }
}
