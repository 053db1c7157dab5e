/** Gathers changes of photos and shows them together, since each time all cards may be drawn anew. */
import { useCallback, useRef } from 'preact/hooks'
import type { Photo } from './photo.js'

/** Changes are shown this often at most, in milliseconds. */
const SHOW_EVERY = 250

export interface LateChanges {
  change(id: number, part: Partial<Photo>): void
  show(): void
  /** Gives what is about to be shown of a photo. */
  pending(id: number): Partial<Photo> | undefined
}

export function useLateChanges(
  setPhotos: (update: (old: readonly Photo[]) => readonly Photo[]) => void,
): LateChanges {
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
  }, [setPhotos])
  const change = useCallback(
    (id: number, part: Partial<Photo>) => {
      changes.current.set(id, { ...changes.current.get(id), ...part })
      timer.current ??= setTimeout(show, SHOW_EVERY)
    },
    [show],
  )
  const pending = useCallback((id: number) => changes.current.get(id), [])
  return { change, show, pending }
}
