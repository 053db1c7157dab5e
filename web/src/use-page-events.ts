/** Listens to what may happen anywhere on the page: photos dropped or pasted, and the key that takes a choice back. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { goTo } from './go-to.js'

interface PageEvents {
  /** Names the photo with the chosen patch; it is null where none is chosen. */
  readonly chosenPhoto: number | null
  onData(data: DataTransfer | null): void
  onEscape(): void
}

/** @returns whether files are being dragged over the page */
export function usePageEvents(events: PageEvents): boolean {
  const [dragging, setDragging] = useState(false)
  // Listeners stay where they are, and call what the last rendering gave.
  const current = useRef(events)
  current.current = events

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
      current.current.onData(event.dataTransfer)
    }
    const paste = (event: ClipboardEvent) => current.current.onData(event.clipboardData)
    const press = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      const { chosenPhoto, onEscape } = current.current
      // The line of results goes away with what has the focus in it.
      if (document.activeElement?.closest('.hint') && chosenPhoto !== null) goTo(chosenPhoto)
      onEscape()
    }
    const abort = new AbortController()
    const { signal } = abort
    addEventListener('dragover', over, { signal })
    addEventListener('dragleave', leave, { signal })
    addEventListener('drop', drop, { signal })
    addEventListener('paste', paste, { signal })
    addEventListener('keydown', press, { signal })
    return () => abort.abort()
  }, [])
  return dragging
}
