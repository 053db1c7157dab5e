/** The page: folders of photos come in, one is chosen or dropped, and those that are most like it are shown first. */
import type { Encoder, ImageSource } from 'plumage/browser'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { droppedFiles } from '../dropped-files.js'
import { fetchExamples } from '../examples.js'
import { messageOf } from '../message-of.js'
import { type ModelChoice, useEncoder } from '../use-encoder.js'
import { CollectionControls } from './collection-controls.js'
import { PhotoGrid } from './photo-grid.js'
import { type AddProgress, type ShownPhoto, TabCollection } from './tab-collection.js'

/** Is the model that comes with the page, at the size that it was trained at. */
const MODEL: ModelChoice = { source: undefined, detail: null }
/** So many photos are shown at first, and more when asked for. */
const SHOWN_AT_ONCE = 120
const MOST_TOLD = 5

interface Found {
  readonly title: string
  /** Is the photo that was chosen; null where one was dropped. */
  readonly from: string | null
  readonly photos: readonly ShownPhoto[]
  /** Finds so many: of thousands, rows that nobody looks at take longer than the search. */
  find(count: number): Promise<readonly ShownPhoto[]>
}

export function CollectionApp() {
  const encoder = useRef<Encoder<ImageSource> | null>(null)
  const tab = useRef<TabCollection | null>(null)
  const stop = useRef<AbortController | null>(null)
  const [photos, setPhotos] = useState<readonly ShownPhoto[]>([])
  const [found, setFound] = useState<Found | null>(null)
  const [shownCount, setShownCount] = useState(SHOWN_AT_ONCE)
  const [progress, setProgress] = useState<AddProgress | null>(null)
  const [trouble, setTrouble] = useState<string | null>(null)
  const [failures, setFailures] = useState<readonly string[]>([])
  const [dragging, setDragging] = useState(false)
  const { status, retry } = useEncoder(
    MODEL,
    useCallback((next: Encoder<ImageSource> | null) => {
      encoder.current = next
    }, []),
  )
  const isReady = status.kind === 'ready'

  const attempt = useCallback(async (work: () => Promise<void>) => {
    setTrouble(null)
    try {
      await work()
    } catch (error) {
      setTrouble(messageOf(error))
    }
  }, [])

  const add = (files: readonly File[]) =>
    attempt(async () => {
      const { current: loaded } = encoder
      if (loaded === null || progress !== null || files.length === 0) return
      tab.current ??= await TabCollection.create(loaded)
      const into = tab.current
      stop.current = new AbortController()
      setFailures([])
      setFound(null)
      try {
        const failed = (path: string, reason: string) => setFailures((all) => [...all, `${path}: ${reason}`])
        let lastShown = 0
        for await (const now of into.add(files, loaded, stop.current.signal, failed)) {
          // A list of thousands is not drawn anew for each photo.
          if (performance.now() - lastShown < 300) continue
          lastShown = performance.now()
          setProgress(now)
          setPhotos([...into.photos])
        }
      } catch (error) {
        if (!stop.current.signal.aborted) throw error
      } finally {
        setPhotos([...into.photos])
        setProgress(null)
        stop.current = null
      }
    })

  const show = async (title: string, from: string | null, find: Found['find']) =>
    setFound({ title, from, photos: await find(SHOWN_AT_ONCE), find })

  const searchLike = (photo: ShownPhoto) =>
    attempt(async () => {
      const { current: into } = tab
      if (into === null) return
      await show(`Most like ${photo.path}`, photo.id, (count) => into.like(photo.id, count))
      scrollTo({ top: 0 })
    })

  const searchFile = (file: File) =>
    attempt(async () => {
      const { current: loaded } = encoder
      const { current: into } = tab
      if (loaded === null || into === null) return
      into.collection.assertSame(loaded.identity)
      const { embedding } = await loaded.encode(file)
      await show(`Most like ${file.name}`, null, (count) => into.nearest(embedding, count))
    })

  const showMore = () =>
    attempt(async () => {
      if (found === null) setShownCount((old) => old + SHOWN_AT_ONCE)
      else setFound({ ...found, photos: await found.find(found.photos.length + SHOWN_AT_ONCE) })
    })

  const open = (file: File) =>
    attempt(async () => {
      tab.current = await TabCollection.open(file)
      setPhotos([...tab.current.photos])
      setFound(null)
      setFailures([])
    })

  const save = () =>
    attempt(async () => {
      const blob = await tab.current?.save()
      if (blob === undefined) return
      const link = document.createElement('a')
      link.href = URL.createObjectURL(blob)
      link.download = 'photos.safetensors'
      link.click()
      // The browser has taken the blob when the click returns; a while later it needs the address no more.
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
    })

  const drop = (data: DataTransfer | null) => {
    if (data === null) return
    void attempt(async () => {
      const files = await droppedFiles(data)
      const saved = files.find(({ name }) => name.endsWith('.safetensors'))
      if (saved !== undefined) await open(saved)
      else await add(files)
    })
  }

  const latest = useRef({ drop, clear: () => setFound(null) })
  latest.current = { drop, clear: () => setFound(null) }
  useEffect(() => {
    const onDragOver = (event: DragEvent) => {
      event.preventDefault()
      setDragging(true)
    }
    const onLeave = () => setDragging(false)
    const onDrop = (event: DragEvent) => {
      event.preventDefault()
      setDragging(false)
      latest.current.drop(event.dataTransfer)
    }
    const onKey = ({ key }: KeyboardEvent) => key === 'Escape' && latest.current.clear()
    addEventListener('dragover', onDragOver)
    addEventListener('dragleave', onLeave)
    addEventListener('drop', onDrop)
    addEventListener('keydown', onKey)
    return () => {
      removeEventListener('dragover', onDragOver)
      removeEventListener('dragleave', onLeave)
      removeEventListener('drop', onDrop)
      removeEventListener('keydown', onKey)
    }
  }, [])

  const listed = found?.photos ?? photos.slice(0, shownCount)
  return (
    <div class={dragging ? 'dropping' : ''}>
      <header>
        <div class="title">
          <h1>Plumage</h1>
          <p>
            Search your photos by what they show. They stay in this tab.{' '}
            <a href="./index.html">Look inside one</a>
          </p>
        </div>
        <p class="status" role="status">
          {status.kind === 'loading' && 'Fetching the model …'}
          {isReady && progress === null && `${photos.length} photos`}
          {progress !== null && `${progress.done + progress.failed} of ${progress.total}`}
        </p>
      </header>
      <main>
        {status.kind === 'failed' && (
          <p class="failed" role="alert">
            {status.text}{' '}
            <button type="button" onClick={retry}>
              Try again
            </button>
          </p>
        )}
        <CollectionControls
          isReady={isReady && progress === null}
          hasPhotos={photos.length > 0}
          progress={progress}
          onAdd={(files) => void add(files)}
          onExamples={() =>
            void attempt(async () => {
              const examples = await fetchExamples()
              await add(examples.map(({ name, file }) => new File([file], name, { lastModified: 0 })))
            })
          }
          onStop={() => stop.current?.abort(new Error('stopped'))}
          onSearch={(file) => void searchFile(file)}
          onOpen={(file) => void open(file)}
          onSave={() => void save()}
        />
        {trouble !== null && (
          <p class="failed" role="alert">
            {trouble}
          </p>
        )}
        {failures.length > 0 && (
          <div class="failures problem">
            {failures.slice(0, MOST_TOLD).map((line) => (
              <p key={line}>{line}</p>
            ))}
            {failures.length > MOST_TOLD && (
              <p>… and {failures.length - MOST_TOLD} more could not be read.</p>
            )}
          </div>
        )}
        {photos.length === 0 && progress === null ? (
          <p class="welcome">
            Drop a folder of photos here, or a collection that was saved. Then choose a photo to see what is
            like it.
          </p>
        ) : (
          <section aria-label="Photos">
            <div class="result">
              <h2>{found === null ? 'All photos' : found.title}</h2>
              {found !== null && (
                <button type="button" onClick={() => setFound(null)}>
                  Show all
                </button>
              )}
            </div>
            <PhotoGrid
              photos={listed}
              chosen={found?.from ?? null}
              onChoose={(photo) => void searchLike(photo)}
            />
            {photos.length > listed.length && (
              <button type="button" onClick={() => void showMore()}>
                Show more ({photos.length - listed.length})
              </button>
            )}
          </section>
        )}
      </main>
    </div>
  )
}
