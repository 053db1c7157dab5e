/** Keeps the photos of the page and what is known of them: one encoder computes them one after the other. */
import type { Encoder, ImageSource } from 'plumage/browser'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { type EncoderStatus, encodeWaiting, type Shown, type Waiting } from './encode-waiting.js'
import { forgetAllPhotos, forgetPhoto, keepPhoto, keptPhotos } from './kept-photos.js'
import type { Photo } from './photo.js'
import { type ModelChoice, useEncoder } from './use-encoder.js'
import { useLateChanges } from './use-late-changes.js'
import type { LookFrom } from './use-looking.js'
import { usePreviews } from './use-previews.js'

export interface NamedFile {
  readonly name: string
  readonly file: Blob
}

export interface PhotoStore {
  readonly photos: readonly Photo[]
  readonly status: EncoderStatus
  add(files: readonly NamedFile[]): void
  /** Tries again after a failure. */
  retry(): void
  remove(id: number): void
  clear(): void
  readonly lookFrom: LookFrom
}

/** Another model, or another detail, computes all photos again. Photos of an earlier visit come back. */
export function usePhotos(choice: ModelChoice): PhotoStore {
  const [photos, setPhotos] = useState<readonly Photo[]>([])
  const current = useRef(photos)
  current.current = photos
  // Numbers of earlier visits, whose photos may come back, are all smaller.
  const nextId = useRef(Date.now())
  const state = useRef<Waiting>({ encoder: null, queue: [], gone: new Set(), running: false }).current
  const { change, show, pending } = useLateChanges(setPhotos)
  const requestPreview = usePreviews(
    useCallback(
      (id: number, preview: ImageBitmap) => (state.gone.has(id) ? preview.close() : change(id, { preview })),
      [state, change],
    ),
  )

  // Whoever encodes tells of its progress through what the last rendering gave.
  const shown = useRef<Shown | null>(null)
  const work = useCallback(() => {
    if (shown.current !== null) void encodeWaiting(state, shown.current)
  }, [state])
  const onEncoder = useCallback(
    (encoder: Encoder<ImageSource> | null) => {
      state.encoder = encoder
      if (encoder === null) return
      state.queue = current.current.filter(({ problem }) => problem === null)
      work()
    },
    [state, work],
  )
  const { status, setStatus, retry } = useEncoder(choice, onEncoder)
  shown.current = { change, show, setStatus }

  const put = useCallback(
    (files: readonly (NamedFile & { readonly id: number })[]) => {
      const added = files.map((file) => ({ ...file, preview: null, features: null, problem: null }))
      setPhotos((all) => [...all, ...added])
      state.queue.push(...added)
      for (const { id, file } of added) requestPreview({ id, file })
      work()
    },
    [state, work, requestPreview],
  )
  const add = useCallback(
    (files: readonly NamedFile[]) => {
      const added = files.map(({ name, file }) => ({ id: nextId.current++, name, file }))
      put(added)
      for (const photo of added) void keepPhoto(photo.id, photo)
    },
    [put],
  )
  useEffect(() => {
    void keptPhotos().then((kept) => {
      // Whoever was quick has added some meanwhile, which are kept already.
      const isNew = ({ key }: { readonly key: number }) => !current.current.some(({ id }) => id === key)
      const back = kept.filter(isNew).map(({ key, name, file }) => ({ id: key, name, file }))
      if (back.length > 0) put(back)
    })
  }, [put])
  const remove = useCallback(
    (id: number) => {
      state.gone.add(id)
      void forgetPhoto(id)
      state.queue = state.queue.filter((photo) => photo.id !== id)
      current.current.find((photo) => photo.id === id)?.preview?.close()
      // A preview may be about to be shown.
      pending(id)?.preview?.close()
      setPhotos((all) => all.filter((photo) => photo.id !== id))
    },
    [state, pending],
  )
  const clear = useCallback(() => {
    for (const { id } of current.current) remove(id)
    void forgetAllPhotos()
  }, [remove])
  const lookFrom = useCallback<LookFrom>(
    async ({ file }, head) => {
      const heads = head === null ? ('mean' as const) : [head]
      const features = await state.encoder?.encode(file, { attention: { heads, from: 'patches' } })
      const [map] = features?.attention ?? []
      if (map === undefined) throw new Error('There is no attention.')
      return map.toPatches
    },
    [state],
  )
  return { photos, status, add, remove, clear, retry, lookFrom }
}
