/** The photos of the page and what is known of them: one encoder, one after the other, each shown as soon as it is computed. */
import { type Encoder, type ImageSource, loadEncoder } from 'plumage/browser'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { objectsBlock, type Photo } from './photo.js'
import type { PreviewAnswer, PreviewRequest } from './preview-worker.js'

export interface EncoderStatus {
  readonly kind: 'loading' | 'ready' | 'encoding' | 'failed'
  /** Engine, threads and precision, or why there is none. */
  readonly text: string
  /** Share of the model that is here, 0 to 1; null before its size is known. */
  readonly loaded: number | null
  readonly done: number
  readonly total: number
  /** Photos per second of the last or present run; null before the first photo. */
  readonly rate: number | null
}

export interface PhotoStore {
  readonly photos: readonly Photo[]
  readonly status: EncoderStatus
  add(files: readonly { readonly name: string; readonly file: Blob }[]): void
  /** After a failure. */
  retry(): void
  remove(id: number): void
  clear(): void
}

/** Between two changes of what is shown, milliseconds: every one may draw all cards anew. */
const SHOW_EVERY = 250

const START: EncoderStatus = { kind: 'loading', text: '', loaded: null, done: 0, total: 0, rate: null }

/** @param side of the model's input in pixels; another one computes all photos again */
export function usePhotos(side: number): PhotoStore {
  const [photos, setPhotos] = useState<readonly Photo[]>([])
  const [status, setStatus] = useState(START)
  const [attempt, setAttempt] = useState(0)
  const encoder = useRef<Encoder<ImageSource> | null>(null)
  const queue = useRef<Photo[]>([])
  const running = useRef(false)
  const gone = useRef(new Set<number>())
  const current = useRef<readonly Photo[]>([])
  const nextId = useRef(0)
  current.current = photos

  const changes = useRef(new Map<number, Partial<Photo>>())
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  const show = useCallback(() => {
    if (timer.current !== null) clearTimeout(timer.current)
    timer.current = null
    const made = changes.current
    if (made.size === 0) return
    changes.current = new Map()
    setPhotos((all) =>
      all.map((photo) => {
        const change = made.get(photo.id)
        return change === undefined ? photo : { ...photo, ...change }
      }),
    )
  }, [])
  const change = useCallback(
    (id: number, part: Partial<Photo>) => {
      changes.current.set(id, { ...changes.current.get(id), ...part })
      timer.current ??= setTimeout(show, SHOW_EVERY)
    },
    [show],
  )

  const previews = useRef<Worker | null>(null)
  useEffect(() => {
    const worker = new Worker(new URL('./preview-worker.ts', import.meta.url), { type: 'module' })
    worker.onmessage = ({ data: { id, preview } }: MessageEvent<PreviewAnswer>) =>
      gone.current.has(id) ? preview.close() : change(id, { preview })
    previews.current = worker
    return () => worker.terminate()
  }, [change])

  /** Encodes until nothing waits. A photo that is dropped meanwhile joins in. */
  const work = useCallback(async () => {
    const loaded = encoder.current
    if (loaded === null || running.current || queue.current.length === 0) return
    running.current = true
    const started = performance.now()
    const finished = new Set<number>()
    let failed = false
    const taken: Photo[] = []
    // When another encoder has taken over, all photos wait for that one.
    const isCurrent = () => encoder.current === loaded
    const waiting = async function* () {
      while (isCurrent()) {
        const photo = queue.current.shift()
        if (photo === undefined) return
        if (gone.current.has(photo.id)) continue
        taken.push(photo)
        yield photo.file
      }
    }
    const report = (kind: EncoderStatus['kind']) => {
      const seconds = (performance.now() - started) / 1000
      const done = [...finished].filter((id) => !gone.current.has(id)).length
      const total = taken.filter(({ id }) => !gone.current.has(id)).length + queue.current.length
      setStatus((old) => ({
        ...old,
        kind,
        done,
        total,
        rate: finished.size > 0 ? finished.size / seconds : old.rate,
      }))
    }
    report('encoding')
    try {
      // Small batches: a picture that is waited for matters more than the last bit of speed.
      const options = { batch: 4, layers: [objectsBlock(loaded.depth)] }
      for await (const { index, features, error } of loaded.encodeAll(waiting(), options)) {
        if (!isCurrent()) break
        finished.add(taken[index].id)
        change(taken[index].id, features ? { features, problem: null } : { problem: error.message })
        report('encoding')
      }
      show()
      if (isCurrent()) report('ready')
    } catch (error) {
      failed = true
      if (isCurrent()) setStatus((old) => ({ ...old, kind: 'failed', text: messageOf(error) }))
    } finally {
      running.current = false
    }
    // What came in at the last moment; nothing is tried again with an encoder that failed.
    if (queue.current.length > 0 && !(failed && isCurrent())) void work()
  }, [change, show])

  useEffect(() => {
    const abort = new AbortController()
    setStatus((old) => ({ ...START, rate: old.rate }))
    loadEncoder('mini', {
      size: side,
      signal: abort.signal,
      onWarning: () => {}, // The status says which engine it is.
      onProgress: (progress) => {
        if (progress.kind === 'bytes' && progress.total)
          setStatus((old) => ({ ...old, loaded: progress.received / (progress.total ?? 1) }))
      },
    })
      .then((loaded) => {
        if (abort.signal.aborted) return loaded[Symbol.dispose]()
        encoder.current = loaded
        const { engine, precision } = loaded.identity
        setStatus((old) => ({ ...old, kind: 'ready', text: `${engine}, ${precision}` }))
        queue.current = current.current.filter(({ problem }) => problem === null)
        void work()
      })
      .catch((error) => {
        if (!abort.signal.aborted) setStatus((old) => ({ ...old, kind: 'failed', text: messageOf(error) }))
      })
    return () => {
      abort.abort()
      encoder.current?.[Symbol.dispose]()
      encoder.current = null
    }
  }, [side, work, attempt])

  const add = useCallback(
    (files: readonly { readonly name: string; readonly file: Blob }[]) => {
      const added = files.map(({ name, file }) => {
        return { id: nextId.current++, name, file, preview: null, features: null, problem: null }
      })
      setPhotos((all) => [...all, ...added])
      queue.current.push(...added)
      for (const { id, file } of added) previews.current?.postMessage({ id, file } satisfies PreviewRequest)
      void work()
    },
    [work],
  )

  const remove = useCallback((id: number) => {
    gone.current.add(id)
    queue.current = queue.current.filter((photo) => photo.id !== id)
    current.current.find((photo) => photo.id === id)?.preview?.close()
    // What was about to be shown.
    changes.current.get(id)?.preview?.close()
    setPhotos((all) => all.filter((photo) => photo.id !== id))
  }, [])

  const clear = useCallback(() => {
    for (const { id } of current.current) remove(id)
  }, [remove])

  const retry = useCallback(() => setAttempt((old) => old + 1), [])

  return { photos, status, add, remove, clear, retry }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
